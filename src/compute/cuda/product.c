/* product.c: products by cuBLASLt. Its matrices are stored by columns, ours by rows: C = A B of ours is C^T = B^T A^T
 * of its, so the factors change places and nothing is moved. */
#include <cublasLt.h>
#include <stdlib.h>
#include "cuda.h"
#include "mem.h"

enum { WORKSPACE = 32 << 20 };

static struct {
    cublasLtHandle_t handle;
    void *workspace;       /* of whichever product runs: there is one stream */
} blas;

static enum err blas_check(cublasStatus_t s, const char *doing)
{
    return s == CUBLAS_STATUS_SUCCESS ? ERR_OK
                                      : err_set(ERR_DEVICE, "cuBLASLt failed, %s: %s", doing, cublasLtGetStatusString(s));
}

enum err blas_open(void)
{
    TRY(blas_check(cublasLtCreate(&blas.handle), "starting"));
    return cuda_check(cudaMalloc(&blas.workspace, WORKSPACE), "taking memory for products");
}

void blas_close(void)
{
    cuda_give(blas.workspace);
    if (blas.handle)
        (void)cublasLtDestroy(blas.handle);
    blas.workspace = NULL;
    blas.handle = NULL;
}

/* ------------------------------------------------------------------ one product */

enum { ALIGNED, ANY, N_ALIGNMENTS }; /* 16 bytes, as buffers are; 4, as a view of a part of one may be */

struct blas_product {
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, c; /* ours */
    struct { bool found; cublasLtMatmulAlgo_t algo; } way[N_ALIGNMENTS];
    bool biased;
};

static cublasComputeType_t compute_of(enum precision p)
{
    return p == PRECISION_TF32   ? CUBLAS_COMPUTE_32F_FAST_TF32
           : p == PRECISION_BF16 ? CUBLAS_COMPUTE_32F_FAST_16BF
                                 : CUBLAS_COMPUTE_32F;
}

static bool good(cublasStatus_t s)
{
    return s == CUBLAS_STATUS_SUCCESS;
}

static bool set_desc(struct blas_product *b, cublasLtMatmulDescAttributes_t what, int32_t value)
{
    return good(cublasLtMatmulDescSetAttribute(b->desc, what, &value, sizeof value));
}

/* A matrix of ours with `rows` rows of `columns`. */
static bool set_layout(cublasLtMatrixLayout_t *l, int rows, int columns, size_t ld, int32_t count, size_t stride)
{
    int64_t apart = (int64_t)stride;
    return good(cublasLtMatrixLayoutCreate(l, CUDA_R_32F, (uint64_t)columns, (uint64_t)rows, (int64_t)ld)) &&
           good(cublasLtMatrixLayoutSetAttribute(*l, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count)) &&
           good(cublasLtMatrixLayoutSetAttribute(*l, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &apart, sizeof apart));
}

static bool describe(struct blas_product *b, const struct product *p, enum precision precision, enum blas_epilogue e)
{
    static const cublasLtEpilogue_t epilogues[] = {
        [BLAS_PLAIN] = CUBLASLT_EPILOGUE_DEFAULT, [BLAS_BIAS] = CUBLASLT_EPILOGUE_BIAS,
        [BLAS_BIAS_RELU] = CUBLASLT_EPILOGUE_RELU_BIAS, [BLAS_RELU] = CUBLASLT_EPILOGUE_RELU,
    };
    b->biased = e == BLAS_BIAS || e == BLAS_BIAS_RELU;
    return good(cublasLtMatmulDescCreate(&b->desc, compute_of(precision), CUDA_R_32F)) &&
           set_desc(b, CUBLASLT_MATMUL_DESC_TRANSA, p->tb ? CUBLAS_OP_T : CUBLAS_OP_N) &&
           set_desc(b, CUBLASLT_MATMUL_DESC_TRANSB, p->ta ? CUBLAS_OP_T : CUBLAS_OP_N) &&
           set_desc(b, CUBLASLT_MATMUL_DESC_EPILOGUE, (int32_t)epilogues[e]) &&
           set_layout(&b->a, p->ta ? p->k : p->m, p->ta ? p->m : p->k, p->lda, p->count, p->stride_a) &&
           set_layout(&b->b, p->tb ? p->n : p->k, p->tb ? p->k : p->n, p->ldb, p->count, p->stride_b) &&
           set_layout(&b->c, p->m, p->n, p->ldc, p->count, p->stride_c);
}

static bool set_bias(const struct blas_product *b, const void *bias)
{
    return good(cublasLtMatmulDescSetAttribute(b->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof bias));
}

/* The library's first choice for pointers of this alignment. */
static bool find_way(struct blas_product *b, int alignment)
{
    static const cublasLtMatmulPreferenceAttributes_t aligned[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES,
    };
    uint32_t bytes = alignment == ALIGNED ? 16 : 4;
    uint64_t most = WORKSPACE;
    const void *bias = (const void *)(uintptr_t)bytes; /* not read: its alignment counts */
    cublasLtMatmulPreference_t pref = NULL;
    cublasLtMatmulHeuristicResult_t result;
    int found = 0;
    bool ok = good(cublasLtMatmulPreferenceCreate(&pref)) &&
              (!b->biased || set_bias(b, bias)) &&
              good(cublasLtMatmulPreferenceSetAttribute(pref, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most, sizeof most));
    for (size_t i = 0; i < COUNT_OF(aligned) && ok; i++)
        ok = good(cublasLtMatmulPreferenceSetAttribute(pref, aligned[i], &bytes, sizeof bytes));
    ok = ok && good(cublasLtMatmulAlgoGetHeuristic(blas.handle, b->desc, b->b, b->a, b->c, b->c, pref, 1, &result, &found));
    if (pref)
        (void)cublasLtMatmulPreferenceDestroy(pref);
    b->way[alignment].found = ok && found > 0 && result.state == CUBLAS_STATUS_SUCCESS;
    if (b->way[alignment].found)
        b->way[alignment].algo = result.algo;
    return b->way[alignment].found;
}

static struct blas_product *attempt(const struct product *p, enum precision precision, enum blas_epilogue e)
{
    struct blas_product *b = xcalloc(1, sizeof *b);
    if (describe(b, p, precision, e) && find_way(b, ANY)) {
        if (!find_way(b, ALIGNED))
            b->way[ALIGNED] = b->way[ANY];
        return b;
    }
    blas_product_free(b);
    return NULL;
}

/* Where there are no units for that precision, by those of the next better one. */
struct blas_product *blas_product_new(const struct product *p, enum precision precision, enum blas_epilogue e)
{
    struct blas_product *b = attempt(p, precision, e);
    for (int better = (int)precision - 1; !b && better >= PRECISION_FP32; better--)
        b = attempt(p, (enum precision)better, e);
    return b;
}

void blas_product_free(struct blas_product *b)
{
    if (!b)
        return;
    cublasLtMatrixLayout_t layouts[] = { b->a, b->b, b->c };
    for (size_t i = 0; i < COUNT_OF(layouts); i++)
        if (layouts[i])
            (void)cublasLtMatrixLayoutDestroy(layouts[i]);
    if (b->desc)
        (void)cublasLtMatmulDescDestroy(b->desc);
    free(b);
}

void blas_product_run(const struct blas_product *b, const float *a, const float *w, const float *bias, float *c)
{
    static const float one = 1, zero = 0;
    uintptr_t all = (uintptr_t)a | (uintptr_t)w | (uintptr_t)c | (b->biased ? (uintptr_t)bias : 0);
    const cublasLtMatmulAlgo_t *algo = &b->way[all % 16 == 0 ? ALIGNED : ANY].algo;
    if (b->biased)
        (void)set_bias(b, bias);
    cublasStatus_t s = cublasLtMatmul(blas.handle, b->desc, &one, w, b->b, a, b->a, &zero, c, b->c, c, b->c, algo,
                                      blas.workspace, WORKSPACE, cuda_stream);
    if (!good(s))
        cuda_mark_failed(cublasLtGetStatusString(s));
}

/* ------------------------------------------------------------------ MATMUL and LINEAR */

/* Of a step: by cuBLASLt, or by tiles of our own; and what remains to be done to the result. */
struct prepared {
    struct product p;
    struct blas_product *blas;
    enum act act;           /* after the product; bias too, unless it is in there */
    float slope;
    bool bias_after;
};

static struct product product_of(const struct node *node)
{
    struct shape a = node->in[0]->shape, b = node->in[1]->shape;
    bool linear = node->op == OP_LINEAR, ta = !linear && node->attr.matmul.ta, tb = !linear && node->attr.matmul.tb;
    int n = node->shape.dim[node->shape.rank - 1], k = a.dim[a.rank - 1 - ta];
    int m = linear ? 1 : node->shape.dim[a.rank - 2];
    int count = (int)(node_count(node) / ((size_t)m * (size_t)n));
    bool shared = b.rank == 2;
    if (shared && !ta) { /* one second factor: the first is one tall matrix */
        m *= count;
        count = 1;
    }
    return (struct product){
        .m = m, .n = n, .k = k, .count = count, .ta = ta, .tb = tb, .lda = (size_t)(ta ? m : k), .ldb = (size_t)(tb ? k : n),
        .ldc = (size_t)n, .stride_a = (size_t)m * (size_t)k, .stride_b = shared ? 0 : (size_t)k * (size_t)n,
        .stride_c = (size_t)m * (size_t)n,
    };
}

enum err prepare_matmul(struct device *d, struct step *s)
{
    struct prepared *p = xcalloc(1, sizeof *p);
    p->p = product_of(s->node);
    p->blas = blas_product_new(&p->p, d->precision, BLAS_PLAIN);
    s->prepared = p;
    return ERR_OK;
}

/* Bias and rectifier join the product where cuBLASLt can do it; all else follows it. */
enum err prepare_linear(struct device *d, struct step *s)
{
    bool bias = s->node->n_in == 3, relu = s->act == ACT_RELU || (s->act == ACT_LEAKY && s->slope == 0);
    enum blas_epilogue whole = bias && relu ? BLAS_BIAS_RELU : bias ? BLAS_BIAS : relu ? BLAS_RELU : BLAS_PLAIN;
    struct prepared *p = xcalloc(1, sizeof *p);
    p->p = product_of(s->node);
    p->act = relu ? ACT_NONE : s->act;
    p->slope = s->slope;
    p->blas = blas_product_new(&p->p, d->precision, whole);
    if (!p->blas && whole != BLAS_PLAIN) {
        p->blas = blas_product_new(&p->p, d->precision, BLAS_PLAIN);
        p->act = s->act;
        p->bias_after = bias;
    } else if (!p->blas) {
        p->bias_after = bias;
    }
    s->prepared = p;
    return ERR_OK;
}

void release_product(struct step *s)
{
    struct prepared *p = s->prepared;
    if (p)
        blas_product_free(p->blas);
    free(p);
    s->prepared = NULL;
}

static void run_prepared(const struct step *s, const float *bias)
{
    const struct prepared *p = s->prepared;
    if (p->blas)
        blas_product_run(p->blas, s->in[0], s->in[1], bias, s->out);
    else
        cu_product(&p->p, s->in[0], s->in[1], s->out);
    if (p->act != ACT_NONE || p->bias_after)
        cu_bias_act(s->out, p->bias_after ? bias : NULL, (size_t)p->p.m * (size_t)p->p.count, p->p.n, p->act, p->slope);
}

void k_matmul(const struct step *s, struct pool *pool)
{
    (void)pool;
    run_prepared(s, NULL);
}

void k_linear(const struct step *s, struct pool *pool)
{
    (void)pool;
    run_prepared(s, s->node->n_in == 3 ? s->in[2] : NULL);
}

void k_matmul_plain(const struct step *s, struct pool *pool)
{
    (void)pool;
    struct product p = product_of(s->node);
    cu_product(&p, s->in[0], s->in[1], s->out);
}
