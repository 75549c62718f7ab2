/* ckpt.c: safetensors in and out. The reader trusts nothing: the header's length, its JSON, names, shapes
 * and offsets are checked before a tensor is shown, and the tensors must cover the data exactly, in any
 * order, without gaps or overlap, as the format demands. Data stays where it is (mmap or the caller's bytes);
 * only bytes that are not aligned for their type are copied once. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "file.h"
#include "mem.h"
#include "opt.h"
#include "optim.h"
#include "str.h"

enum { MAX_HEADER = 1 << 20, MAX_TENSORS = 1 << 16, PREFIX_CAP = 256 };

static const struct {
    const char *name;
    enum dtype dtype;
    size_t size;
} dtypes[] = {
    {"F32", F32, sizeof(float)},
    {"I32", I32, sizeof(int32_t)},
};

struct item {
    struct ckpt_tensor t;
    size_t from, to;
};

struct ckpt {
    const uint8_t *bytes;
    uint8_t *copy; /* owned, when the borrowed bytes were not aligned */
    size_t len, data_at;
    bool mapped;
    char *name;
    json_t *header; /* owns the tensors' names and the metadata */
    struct item *item;
    size_t n, n_meta;
    const char **meta; /* key, value pairs */
    char hash[17];
};

static enum err bad(const struct ckpt *c, const char *tensor, const char *what)
{
    return err_set(ERR_FORMAT, "%s: tensor \"%s\": %s", c->name, tensor, what);
}

static enum err read_shape(const struct ckpt *c, const char *name, const json_t *list, struct shape *out)
{
    size_t rank = json_array_size(list);
    if (!json_is_array(list) || rank > MAX_RANK)
        return bad(c, name, "shape is not a list of at most 6 sizes");
    *out = (struct shape){.rank = (int)rank};
    for (size_t i = 0; i < rank; i++) {
        const json_t *dim = json_array_get(list, i);
        json_int_t value = json_integer_value(dim);
        if (!json_is_integer(dim) || value < 1 || value > INT32_MAX)
            return bad(c, name, "a size is not a positive 32-bit number");
        out->dim[i] = (int32_t)value;
    }
    return ERR_OK;
}

static enum err read_offsets(const struct ckpt *c, const char *name, const json_t *list, struct item *it)
{
    const json_t *from = json_array_get(list, 0), *to = json_array_get(list, 1);
    if (json_array_size(list) != 2 || !json_is_integer(from) || !json_is_integer(to))
        return bad(c, name, "data_offsets are not two numbers");
    json_int_t a = json_integer_value(from), b = json_integer_value(to);
    if (a < 0 || b < a || (uint64_t)b > c->len - c->data_at)
        return bad(c, name, "data lies outside the file");
    it->from = (size_t)a;
    it->to = (size_t)b;
    return ERR_OK;
}

static enum err read_dtype(const struct ckpt *c, const char *name, const char *dtype, struct item *it,
                           size_t *size)
{
    for (size_t i = 0; dtype && i < COUNT_OF(dtypes); i++)
        if (!strcmp(dtypes[i].name, dtype)) {
            it->t.dtype = dtypes[i].dtype;
            *size = dtypes[i].size;
            return ERR_OK;
        }
    return err_set(ERR_UNSUPPORTED, "%s: tensor \"%s\": type %s (only F32 and I32)", c->name, name,
                   dtype ? dtype : "missing");
}

static enum err read_item(const struct ckpt *c, const char *name, const json_t *row, struct item *it)
{
    size_t bytes;
    if (!json_is_object(row))
        return bad(c, name, "entry is not an object");
    it->t.name = name;
    TRY(read_dtype(c, name, json_string_value(json_object_get(row, "dtype")), it, &bytes));
    TRY(read_shape(c, name, json_object_get(row, "shape"), &it->t.shape));
    TRY(read_offsets(c, name, json_object_get(row, "data_offsets"), it));
    for (int i = 0; i < it->t.shape.rank; i++)
        if (!size_mul(bytes, (size_t)it->t.shape.dim[i], &bytes))
            return bad(c, name, "shape overflows");
    if (bytes != it->to - it->from)
        return bad(c, name, "its bytes are not shape times type");
    it->t.data = c->bytes + c->data_at + it->from;
    if ((c->data_at + it->from) % sizeof(float))
        return bad(c, name, "data is not on a 4-byte boundary");
    return ERR_OK;
}

static int by_offset(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

static enum err check_cover(const struct ckpt *c)
{
    struct item *sorted = xmalloc((c->n + 1) * sizeof *sorted);
    enum err err = ERR_OK;
    size_t at = 0;
    memcpy(sorted, c->item, c->n * sizeof *sorted);
    qsort(sorted, c->n, sizeof *sorted, by_offset);
    for (size_t i = 0; i < c->n && err == ERR_OK; i++) {
        if (sorted[i].from != at)
            err =
                bad(c, sorted[i].t.name, sorted[i].from < at ? "overlaps another" : "leaves a gap before it");
        at = sorted[i].to;
    }
    if (err == ERR_OK && at != c->len - c->data_at)
        err = err_set(ERR_FORMAT, "%s: %zu bytes after the last tensor", c->name, c->len - c->data_at - at);
    free(sorted);
    return err;
}

static enum err read_meta(struct ckpt *c, json_t *meta)
{
    const char *key;
    json_t *value;
    if (!json_is_object(meta))
        return err_set(ERR_FORMAT, "%s: __metadata__ is not an object", c->name);
    c->meta = xcalloc(2 * json_object_size(meta) + 1, sizeof *c->meta);
    json_object_foreach(meta, key, value)
    {
        if (!json_is_string(value))
            return err_set(ERR_FORMAT, "%s: metadata \"%s\" is not text", c->name, key);
        c->meta[2 * c->n_meta] = key;
        c->meta[2 * c->n_meta++ + 1] = json_string_value(value);
    }
    return ERR_OK;
}

static enum err read_header(struct ckpt *c)
{
    struct cursor cur = {c->bytes, c->len, 0, false};
    uint64_t size = cursor_le64(&cur);
    json_error_t where;
    const char *key;
    json_t *value;
    if (cur.bad || size > MAX_HEADER || size > c->len - 8)
        return err_set(ERR_FORMAT,
                       "%s: offset 0: not a safetensors file (header of %llu bytes in a file of %zu)",
                       c->name, (unsigned long long)size, c->len);
    c->data_at = 8 + (size_t)size;
    c->header = json_loadb((const char *)c->bytes + 8, (size_t)size, JSON_REJECT_DUPLICATES, &where);
    if (!c->header || !json_is_object(c->header))
        return err_set(ERR_FORMAT, "%s: offset %d: header is not a JSON object (%s)", c->name,
                       8 + (c->header ? 0 : where.position), c->header ? "another value" : where.text);
    size_t n = json_object_size(c->header);
    if (n > MAX_TENSORS)
        return err_set(ERR_FORMAT, "%s: %zu tensors", c->name, n);
    c->item = xcalloc(n + 1, sizeof *c->item);
    json_object_foreach(c->header, key, value)
    {
        if (!strcmp(key, "__metadata__")) {
            TRY(read_meta(c, value));
        } else {
            TRY(read_item(c, key, value, &c->item[c->n]));
            c->n++;
        }
    }
    return check_cover(c);
}

static enum err parse(const uint8_t *bytes, size_t len, const char *name, bool mapped, struct ckpt **out)
{
    struct ckpt *c = xcalloc(1, sizeof *c);
    enum err err = ERR_OK;
    c->bytes = bytes;
    c->len = len;
    c->mapped = mapped;
    c->name = xstrdup(name);
    if ((uintptr_t)bytes % sizeof(float)) {
        TRY_OUT(mem_try_alloc(len, 1, (void **)&c->copy));
        memcpy(c->copy, bytes, len);
        c->bytes = c->copy;
    }
    TRY_OUT(read_header(c));
    (void)str_format(c->hash, sizeof c->hash, "%016llx", (unsigned long long)file_hash(c->bytes, c->len));
    *out = c;
out:
    if (err != ERR_OK) {
        c->mapped = false; /* the caller still owns the bytes */
        ckpt_close(c);
    }
    return err;
}

enum err ckpt_parse(const uint8_t *bytes, size_t len, const char *name, struct ckpt **out)
{
    return parse(bytes, len, name, false, out);
}

enum err ckpt_open(const char *path, struct ckpt **out)
{
    const uint8_t *bytes;
    size_t len;
    TRY(file_map(path, &bytes, &len));
    enum err err = parse(bytes, len, path, true, out);
    if (err != ERR_OK)
        file_unmap(bytes, len);
    return err;
}

void ckpt_close(struct ckpt *c)
{
    if (!c)
        return;
    json_decref(c->header);
    if (c->mapped)
        file_unmap(c->bytes, c->len);
    free(c->copy);
    free(c->item);
    free(c->meta);
    free(c->name);
    free(c);
}

const char *ckpt_meta(const struct ckpt *c, const char *key)
{
    for (size_t i = 0; i < c->n_meta; i++)
        if (!strcmp(c->meta[2 * i], key))
            return c->meta[2 * i + 1];
    return NULL;
}

enum err ckpt_options(const struct ckpt *c, const struct opt *table, size_t n, struct opts **out)
{
    struct opts *o = opts_new(table, n);
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        char key[64];
        str_format(key, sizeof key, "option.%s", table[i].name);
        const char *value = ckpt_meta(c, key);
        err = value ? opts_set(o, table[i].name, value) : ERR_OK;
    }
    if (err == ERR_OK)
        *out = o;
    else
        opts_free(o);
    return err;
}

size_t ckpt_n_meta(const struct ckpt *c)
{
    return c->n_meta;
}

void ckpt_meta_at(const struct ckpt *c, size_t i, const char **key, const char **value)
{
    *key = c->meta[2 * i];
    *value = c->meta[2 * i + 1];
}

size_t ckpt_n(const struct ckpt *c)
{
    return c->n;
}

struct ckpt_tensor ckpt_at(const struct ckpt *c, size_t i)
{
    return c->item[i].t;
}

bool ckpt_find(const struct ckpt *c, const char *name, struct ckpt_tensor *out)
{
    for (size_t i = 0; i < c->n; i++)
        if (!strcmp(c->item[i].t.name, name)) {
            *out = c->item[i].t;
            return true;
        }
    return false;
}

const char *ckpt_hash(const struct ckpt *c)
{
    return c->hash;
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return true;
}

struct ckpt_writer {
    json_t *header, *meta;
    struct str data;
    bool failed;     /* a device did not give its values */
    char astray[64]; /* the first tensor that holds what is no number */
};

struct ckpt_writer *ckpt_writer_new(void)
{
    struct ckpt_writer *w = xcalloc(1, sizeof *w);
    w->header = json_object();
    w->meta = json_object();
    json_object_set_new(w->header, "__metadata__", w->meta);
    return w;
}

void ckpt_writer_meta(struct ckpt_writer *w, const char *key, const char *value)
{
    BUG_ON(json_object_set_new(w->meta, key, json_string(value)) != 0); /* not UTF-8 */
}

void ckpt_writer_add(struct ckpt_writer *w, const char *name, enum dtype t, struct shape s, const void *data)
{
    size_t bytes = shape_count(s) * dtypes[t].size, from = w->data.len;
    json_t *shape = json_array();
    for (int i = 0; i < s.rank; i++)
        json_array_append_new(shape, json_integer(s.dim[i]));
    json_t *row = json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtypes[t].name, "shape", shape, "data_offsets",
                            (json_int_t)from, (json_int_t)(from + bytes));
    BUG_ON(!row || json_object_get(w->header, name) || json_object_set_new(w->header, name, row) != 0);
    str_addn(&w->data, data, bytes);
    if (t == F32 && !w->astray[0] && !all_finite(data, shape_count(s)))
        str_copy(w->astray, sizeof w->astray, name);
}

/* The header is padded with spaces so that the data begins on a 64-byte boundary. */
enum err ckpt_writer_save(struct ckpt_writer *w, const char *path)
{
    char *text = json_dumps(w->header, JSON_COMPACT);
    struct str file;
    str_init(&file);
    BUG_ON(!text);
    size_t len = strlen(text), padded = (8 + len + 63) / 64 * 64 - 8;
    for (int i = 0; i < 8; i++)
        str_addc(&file, (char)((uint64_t)padded >> (8 * i)));
    str_addn(&file, text, len);
    for (size_t i = len; i < padded; i++)
        str_addc(&file, ' ');
    str_addn(&file, w->data.p, w->data.len);
    enum err err = padded > MAX_HEADER ? err_set(ERR_RANGE, "%s: header of %zu bytes", path, padded)
                   : w->failed         ? err_set(ERR_DEVICE, "%s is not written: the device has failed", path)
                   : w->astray[0]      ? err_set(ERR_RANGE, "%s is not written: %s holds what is no number", path, w->astray)
                                       : file_write(path, file.p, file.len);
    free(text);
    str_fini(&file);
    ckpt_writer_free(w);
    return err;
}

void ckpt_writer_free(struct ckpt_writer *w)
{
    str_fini(&w->data);
    json_decref(w->header);
    free(w);
}

/* The parts of a parameter set as named tensors: where part `i` lies, under which prefix. */
struct part_set {
    const char *prefix;
    const float *base;
    const float *trained;
    bool states;
    const char *only;
};

static const char *prefixed(char buf[PREFIX_CAP], const char *prefix, const char *name)
{
    BUG_ON(!str_format(buf, PREFIX_CAP, "%s%s", prefix, name));
    return buf;
}

static float *part_at(const struct part_set *s, const struct params *p, size_t i)
{
    float *value = params_value(p, i);
    return params_trained(p, i) ? (float *)s->base + (value - s->trained) : value;
}

static bool part_in(const struct part_set *s, const struct params *p, size_t i)
{
    return (params_trained(p, i) || s->states) && (!s->only || str_starts(params_name(p, i), s->only));
}

static void add_parts(struct ckpt_writer *w, const struct part_set *s, const struct params *p,
                      struct device *d)
{
    char name[PREFIX_CAP];
    for (size_t i = 0; i < params_n(p); i++) {
        if (!part_in(s, p, i))
            continue;
        size_t bytes = shape_count(params_shape(p, i)) * sizeof(float);
        float *host = xcalloc(1, bytes);
        w->failed |= device_download(d, host, part_at(s, p, i), bytes) != ERR_OK;
        ckpt_writer_add(w, prefixed(name, s->prefix, params_name(p, i)), F32, params_shape(p, i), host);
        free(host);
    }
}

static enum err load_parts(const struct ckpt *c, const struct part_set *s, const struct params *p,
                           struct device *d)
{
    char name[PREFIX_CAP], has[64], wants[64];
    struct ckpt_tensor t;
    for (size_t i = 0; i < params_n(p); i++) {
        if (!part_in(s, p, i))
            continue;
        prefixed(name, s->prefix, params_name(p, i));
        if (!ckpt_find(c, name, &t))
            return err_set(ERR_SHAPE, "%s: tensor \"%s\" is missing", c->name, name);
        if (t.dtype != F32 || !shape_same(t.shape, params_shape(p, i))) {
            shape_print(t.shape, has);
            shape_print(params_shape(p, i), wants);
            return err_set(ERR_SHAPE, "%s: tensor \"%s\" is %s %s, the model wants F32 %s", c->name, name,
                           dtypes[t.dtype].name, has, wants);
        }
        if (!all_finite(t.data, shape_count(t.shape)))
            return bad(c, name, "holds what is no number");
        TRY(device_upload(d, part_at(s, p, i), t.data, shape_count(t.shape) * sizeof(float)));
    }
    return ERR_OK;
}

static void parts_of(const struct params *p, struct part_set *values, struct part_set moments[2])
{
    float *w, *g, *m, *v;
    size_t n;
    params_flat(p, &w, &g, &m, &v, &n);
    *values = (struct part_set){.prefix = "", .base = w, .trained = w, .states = true};
    moments[0] = (struct part_set){.prefix = "adam.m/", .base = m, .trained = w};
    moments[1] = (struct part_set){.prefix = "adam.v/", .base = v, .trained = w};
}

enum err ckpt_load_params(const struct ckpt *c, struct params *p, struct device *d)
{
    struct part_set values, moments[2];
    parts_of(p, &values, moments);
    return load_parts(c, &values, p, d);
}

enum err ckpt_load_params_named(const struct ckpt *c, struct params *p, const char *prefix, struct device *d)
{
    struct part_set values, moments[2];
    parts_of(p, &values, moments);
    values.only = prefix;
    return load_parts(c, &values, p, d);
}

void ckpt_add_params(struct ckpt_writer *w, const struct params *p, struct device *d)
{
    struct part_set values, moments[2];
    parts_of(p, &values, moments);
    add_parts(w, &values, p, d);
}

void ckpt_add_params_named(struct ckpt_writer *w, const struct params *p, const char *prefix,
                           struct device *d)
{
    struct part_set values, moments[2];
    parts_of(p, &values, moments);
    values.only = prefix;
    add_parts(w, &values, p, d);
}

void ckpt_add_moments(struct ckpt_writer *w, const struct params *p, struct device *d)
{
    struct part_set values, moments[2];
    parts_of(p, &values, moments);
    add_parts(w, &moments[0], p, d);
    add_parts(w, &moments[1], p, d);
}

enum err ckpt_load_moments(const struct ckpt *c, struct params *p, struct device *d)
{
    struct part_set values, moments[2];
    parts_of(p, &values, moments);
    TRY(load_parts(c, &moments[0], p, d));
    return load_parts(c, &moments[1], p, d);
}

void ckpt_add_ema(struct ckpt_writer *w, struct ema *e, const struct params *p, struct device *d)
{
    struct part_set values, moments[2];
    int32_t updates = (int32_t)ema_updates(e);
    parts_of(p, &values, moments);
    add_parts(w, &(struct part_set){.prefix = "ema/", .base = ema_values(e), .trained = values.trained}, p,
              d);
    ckpt_writer_add(w, "ema.updates", I32, SHAPE(1), &updates);
}

enum err ckpt_load_ema(const struct ckpt *c, struct ema *e, const struct params *p, struct device *d)
{
    struct part_set values, moments[2];
    struct ckpt_tensor t;
    parts_of(p, &values, moments);
    TRY(load_parts(c, &(struct part_set){.prefix = "ema/", .base = ema_values(e), .trained = values.trained},
                   p, d));
    if (!ckpt_find(c, "ema.updates", &t) || t.dtype != I32 || shape_count(t.shape) != 1)
        return err_set(ERR_SHAPE, "%s: tensor \"ema.updates\" is missing", c->name);
    ema_resume(e, *(const int32_t *)t.data);
    return ERR_OK;
}
