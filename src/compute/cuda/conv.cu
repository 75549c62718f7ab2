/* conv.cu: the three passes of a convolution as products by tiles, whose factors are read straight from x, y and w:
 * nobody writes the matrix of patches. See conv.c of the CPU for what it is. */
#include "dense.h"
#include "tile.h"

enum { WANTED_BLOCKS = 264, LEAST_SUM = 256, MOST_LAYERS = 64 }; /* sums are cut where there is little else to cut */

DEVICE int index_of(const struct conv_shape &s, int image, int i0, int i1, int i2)
{
    bool inside = i0 >= 0 && i0 < s.in[0] && i1 >= 0 && i1 < s.in[1] && i2 >= 0 && i2 < s.in[2];
    return inside ? (((image * s.in[0] + i0) * s.in[1] + i1) * s.in[2] + i2) * s.cin : -1;
}

/* Corner of the patch of an output position. */
struct spot { int image, i0, i1, i2; };
struct tap { int k0, k1, k2, c; };

DEVICE struct spot spot_of(const struct conv_shape &s, unsigned row)
{
    unsigned o2 = row % (unsigned)s.out[2], r = row / (unsigned)s.out[2];
    unsigned o1 = r % (unsigned)s.out[1];
    r /= (unsigned)s.out[1];
    unsigned o0 = r % (unsigned)s.out[0], image = r / (unsigned)s.out[0];
    const struct geom &g = s.geom;
    return { (int)image, (int)o0 * g.stride[0] - g.lo[0], (int)o1 * g.stride[1] - g.lo[1],
             (int)o2 * g.stride[2] - g.lo[2] };
}

DEVICE struct tap tap_of(const struct conv_shape &s, unsigned column)
{
    unsigned c = column % (unsigned)s.cin, r = column / (unsigned)s.cin;
    unsigned k2 = r % (unsigned)s.geom.kernel[2];
    r /= (unsigned)s.geom.kernel[2];
    unsigned k1 = r % (unsigned)s.geom.kernel[1], k0 = r / (unsigned)s.geom.kernel[1];
    return { (int)k0, (int)k1, (int)k2, (int)c };
}

DEVICE float patch_at(const struct conv_shape &s, const float *x, const struct spot &p, const struct tap &t)
{
    int i = index_of(s, p.image, p.i0 + t.k0, p.i1 + t.k1, p.i2 + t.k2);
    return i >= 0 ? x[i + t.c] : 0;
}

/* P as the left factor of y = P w. */
struct patch_rows {
    static const bool along_k = true;
    typedef struct spot place_t;
    typedef struct tap step_t;
    struct conv_shape s;
    const float *x;
    __device__ void layer(unsigned) {}
    __device__ place_t place(unsigned j) const { return spot_of(s, j); }
    __device__ step_t step(unsigned k) const { return tap_of(s, k); }
    __device__ float at(const place_t &p, const step_t &t) const { return patch_at(s, x, p, t); }
};

/* P transposed, of w = P^T y. */
struct patch_columns {
    static const bool along_k = false;
    typedef struct tap place_t;
    typedef struct spot step_t;
    struct conv_shape s;
    const float *x;
    __device__ void layer(unsigned) {}
    __device__ place_t place(unsigned j) const { return tap_of(s, j); }
    __device__ step_t step(unsigned k) const { return spot_of(s, k); }
    __device__ float at(const place_t &t, const step_t &p) const { return patch_at(s, x, p, t); }
};

/* Layers are parts of the sum, added up afterwards in order. */
struct partial_result {
    float *p;
    unsigned m, n, k, per;
    __device__ struct extent extent(unsigned z) const { return { m, n, min(z * per, k), min((z + 1) * per, k) }; }
    __device__ void put(unsigned z, unsigned i, unsigned j, float v) const { p[((size_t)z * m + i) * n + j] = v; }
};

static __global__ void add_layers(const float *part, unsigned total, unsigned layers, float *out)
{
    unsigned i = thread_index();
    float sum = 0;
    for (unsigned z = 0; z < layers && i < total; z++)
        sum += part[(size_t)z * total + i];
    if (i < total)
        out[i] = sum;
}

struct sizes { unsigned m, n, k; };

static struct sizes sizes_of(const struct conv_shape *s, enum conv_pass pass)
{
    unsigned rows = (unsigned)(s->n * s->out[0] * s->out[1] * s->out[2]);
    unsigned columns = (unsigned)(s->geom.kernel[0] * s->geom.kernel[1] * s->geom.kernel[2] * s->cin);
    struct sizes forward = { rows, (unsigned)s->cout, columns }, weights = { columns, (unsigned)s->cout, rows };
    return pass == CONV_FWD ? forward : weights;
}

/* A function of sizes alone: the same bits on every run. */
static unsigned layers_of(struct sizes z)
{
    unsigned blocks = blocks_for(z.m, TILE) * blocks_for(z.n, TILE), layers = 1;
    while (layers < MOST_LAYERS && blocks * layers < WANTED_BLOCKS && z.k / (layers * 2) >= LEAST_SUM)
        layers *= 2;
    return layers;
}

size_t cu_conv_workspace(const struct conv_shape *s, enum conv_pass pass)
{
    if (pass == CONV_DATA)
        return 0;
    struct sizes z = sizes_of(s, pass);
    unsigned layers = layers_of(z);
    return layers > 1 ? (size_t)layers * z.m * z.n : 0;
}

template <class A, class B> static void run_layers(A a, B b, struct sizes z, float *out, float *work)
{
    unsigned layers = layers_of(z), total = z.m * z.n;
    partial_result c = { layers > 1 ? work : out, z.m, z.n, z.k, (z.k + layers - 1) / layers };
    tile_run(a, b, c, z.m, z.n, layers);
    if (layers > 1)
        LAUNCH(add_layers, blocks_for(total, BLOCK), BLOCK, 0, (const float *)work, total, layers, out);
}

void cu_conv(const struct conv_shape *s, const float *x, const float *w, float *y, float *work)
{
    patch_rows a = { *s, x };
    matrix<false> b = { w, (size_t)s->cout, 0 };
    run_layers(a, b, sizes_of(s, CONV_FWD), y, work);
}

void cu_conv_w(const struct conv_shape *s, const float *x, const float *y, float *w, float *work)
{
    patch_columns a = { *s, x };
    matrix<false> b = { y, (size_t)s->cout, 0 };
    run_layers(a, b, sizes_of(s, CONV_WEIGHTS), w, work);
}

/* From y to x by gathering. Which taps reach a place of x depends on the place modulo the stride, so each of these
 * classes is a layer with its own taps: along an axis the places first + stride q, the taps least + stride u, and of
 * y the element q + shift - u. */
struct axis_class { int places, taps, first, least, shift; };
struct data_class { struct axis_class a[3]; };

DEVICE struct data_class class_of(const struct conv_shape &s, unsigned z)
{
    struct data_class c;
    for (int i = 2; i >= 0; i--) {
        int stride = s.geom.stride[i], r = (int)(z % (unsigned)stride);
        z /= (unsigned)stride;
        int reach = r + s.geom.lo[i], least = (reach % stride + stride) % stride;
        c.a[i].first = r;
        c.a[i].least = least;
        c.a[i].places = r < s.in[i] ? (s.in[i] - r + stride - 1) / stride : 0;
        c.a[i].taps = least < s.geom.kernel[i] ? (s.geom.kernel[i] - least + stride - 1) / stride : 0;
        c.a[i].shift = (reach - least) / stride;
    }
    return c;
}

struct four { int a, b, c, d; };

/* i counts in (.., n1, n2, n3). */
DEVICE struct four digits(unsigned i, int n1, int n2, int n3)
{
    int d = (int)(i % (unsigned)n3);
    i /= (unsigned)n3;
    int c = (int)(i % (unsigned)n2);
    i /= (unsigned)n2;
    return { (int)(i / (unsigned)n1), (int)(i % (unsigned)n1), c, d };
}

struct data_y {
    static const bool along_k = true;
    typedef struct four place_t; /* image, and of each axis q + shift */
    typedef struct four step_t;  /* of each axis u; channel of y */
    struct conv_shape s;
    const float *y;
    struct data_class c;
    __device__ void layer(unsigned z) { c = class_of(s, z); }
    __device__ place_t place(unsigned j) const
    {
        struct four p = digits(j, c.a[0].places, c.a[1].places, c.a[2].places);
        return { p.a, p.b + c.a[0].shift, p.c + c.a[1].shift, p.d + c.a[2].shift };
    }
    __device__ step_t step(unsigned k) const { return digits(k, c.a[1].taps, c.a[2].taps, s.cout); }
    __device__ float at(const place_t &p, const step_t &t) const
    {
        int o0 = p.b - t.a, o1 = p.c - t.b, o2 = p.d - t.c;
        bool inside = o0 >= 0 && o0 < s.out[0] && o1 >= 0 && o1 < s.out[1] && o2 >= 0 && o2 < s.out[2];
        return inside ? y[(((p.a * s.out[0] + o0) * s.out[1] + o1) * s.out[2] + o2) * s.cout + t.d] : 0;
    }
};

struct data_w {
    static const bool along_k = true;
    typedef int place_t;
    typedef int step_t;
    struct conv_shape s;
    const float *w;
    struct data_class c;
    __device__ void layer(unsigned z) { c = class_of(s, z); }
    __device__ int place(unsigned j) const { return (int)j * s.cout; }
    __device__ int step(unsigned k) const
    {
        struct four t = digits(k, c.a[1].taps, c.a[2].taps, s.cout);
        const struct geom &g = s.geom;
        int k0 = c.a[0].least + t.a * g.stride[0], k1 = c.a[1].least + t.b * g.stride[1];
        int k2 = c.a[2].least + t.c * g.stride[2];
        return ((k0 * g.kernel[1] + k1) * g.kernel[2] + k2) * s.cin * s.cout + t.d;
    }
    __device__ float at(int j, int k) const { return w[j + k]; }
};

struct data_result {
    struct conv_shape s;
    float *x;
    __device__ struct extent extent(unsigned z) const
    {
        struct data_class c = class_of(s, z);
        unsigned m = (unsigned)(s.n * c.a[0].places * c.a[1].places * c.a[2].places);
        return { m, (unsigned)s.cin, 0, (unsigned)(c.a[0].taps * c.a[1].taps * c.a[2].taps * s.cout) };
    }
    __device__ void put(unsigned z, unsigned i, unsigned j, float v) const
    {
        struct data_class c = class_of(s, z);
        struct four p = digits(i, c.a[0].places, c.a[1].places, c.a[2].places);
        const struct geom &g = s.geom;
        x[index_of(s, p.a, c.a[0].first + p.b * g.stride[0], c.a[1].first + p.c * g.stride[1],
                   c.a[2].first + p.d * g.stride[2]) + (int)j] = v;
    }
};

void cu_conv_t(const struct conv_shape *s, const float *y, const float *w, float *x)
{
    unsigned layers = 1, places = (unsigned)s->n; /* the most that a class has */
    for (int a = 0; a < 3; a++) {
        layers *= (unsigned)s->geom.stride[a];
        places *= (unsigned)((s->in[a] + s->geom.stride[a] - 1) / s->geom.stride[a]);
    }
    data_y a = { *s, y, {} };
    data_w b = { *s, w, {} };
    data_result c = { *s, x };
    tile_run(a, b, c, places, (unsigned)s->cin, layers);
}
