/* safetensors: round trips, refusals, and random damage. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "file.h"
#include "opt.h"
#include "optim.h"

static struct device *device;
static char path[] = "/tmp/jamroll-ckpt-XXXXXX";

static int start(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || close(fd) != 0 || device_open("cpu", 1, &device) != ERR_OK;
}

static int stop(void **state)
{
    (void)state;
    device_close(device);
    return unlink(path);
}

static void save_sample(void)
{
    static const float x[6] = {1, 2, 3, 4, 5, 6};
    static const int32_t i[2] = {-7, 8};
    struct ckpt_writer *w = ckpt_writer_new();
    ckpt_writer_meta(w, "family", "band");
    ckpt_writer_meta(w, "note", "quotes \" and \\ and \xc3\xa9");
    ckpt_writer_add(w, "x", F32, SHAPE(2, 3), x);
    ckpt_writer_add(w, "i", I32, SHAPE(2), i);
    ckpt_writer_add(w, "scalar", F32, (struct shape){0}, x + 5);
    assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
}

static void round_trip(void **state)
{
    (void)state;
    struct ckpt *c;
    struct ckpt_tensor t;
    save_sample();
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_string_equal(ckpt_meta(c, "family"), "band");
    assert_string_equal(ckpt_meta(c, "note"), "quotes \" and \\ and \xc3\xa9");
    assert_null(ckpt_meta(c, "x"));
    assert_int_equal(ckpt_n_meta(c), 2);
    assert_int_equal(ckpt_n(c), 3);
    assert_true(ckpt_find(c, "x", &t));
    assert_true(t.dtype == F32 && shape_same(t.shape, SHAPE(2, 3)) && ((const float *)t.data)[5] == 6);
    assert_int_equal((uintptr_t)t.data % 64, 0);
    assert_true(ckpt_find(c, "i", &t));
    assert_true(t.dtype == I32 && ((const int32_t *)t.data)[0] == -7);
    assert_true(ckpt_find(c, "scalar", &t) && t.shape.rank == 0 && *(const float *)t.data == 6);
    assert_false(ckpt_find(c, "__metadata__", &t));
    assert_int_equal(strlen(ckpt_hash(c)), 16);
    char hash[17];
    memcpy(hash, ckpt_hash(c), sizeof hash);
    ckpt_close(c);

    uint8_t *bytes;
    size_t len;
    assert_int_equal(file_read(path, 1 << 20, &bytes, &len), ERR_OK);
    assert_int_equal(ckpt_parse(bytes, len, "memory", &c), ERR_OK);
    assert_string_equal(ckpt_hash(c), hash);
    ckpt_close(c);
    bytes[len - 1] ^= 1;
    assert_int_equal(ckpt_parse(bytes, len, "memory", &c), ERR_OK);
    assert_string_not_equal(ckpt_hash(c), hash);
    ckpt_close(c);
    free(bytes);
}

/* A file from a header and n data bytes, at an odd address to try the aligning copy too. */
static enum err parse_text(const char *header, size_t n_data)
{
    size_t len = strlen(header);
    uint8_t *bytes = calloc(1, 1 + 8 + len + n_data);
    struct ckpt *c;
    bytes[1] = (uint8_t)len;
    bytes[2] = (uint8_t)(len >> 8);
    memcpy(bytes + 9, header, len);
    enum err err = ckpt_parse(bytes + 1, 8 + len + n_data, "text", &c);
    if (err == ERR_OK)
        ckpt_close(c);
    free(bytes);
    return err;
}

static void refusals(void **state)
{
    (void)state;
    /* Headers are padded to a length that keeps the data on a 4-byte boundary. */
    static const struct {
        const char *header;
        size_t n_data;
        enum err err;
    } rows[] = {
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  ", 8, ERR_OK},
        {"{} ", 0, ERR_OK},
        {"{} ", 1, ERR_FORMAT},
        {"[] ", 0, ERR_FORMAT},
        {"{\"a\":3} ", 0, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}  ", 8, ERR_UNSUPPORTED},
        {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,8]}}  ", 8, ERR_UNSUPPORTED},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}  ", 8, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}  ", 8, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}  ", 8, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}  ", 8, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}  ", 12, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}  ", 12, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}  ", 8, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}  ", 0, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}  ", 4, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647,2147483647,2147483647],\"data_offsets\":[0,4]}}  ",
         4, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":"
         "[1],\"data_offsets\":[0,4]}}  ",
         4, ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":"
         "[1],\"data_offsets\":[4,8]}}  ",
         8, ERR_FORMAT},
        {"{\"__metadata__\":{\"k\":1}} ", 0, ERR_FORMAT},
        {"{\"__metadata__\":[]} ", 0, ERR_FORMAT},
        {"{\"__metadata__\":{\"k\":\"v\"}} ", 0, ERR_OK},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char header[512];
        size_t len = strlen(rows[i].header);
        memcpy(header, rows[i].header, len);
        while (len % 4)
            header[len++] = ' ';
        header[len] = 0;
        enum err err = parse_text(header, rows[i].n_data);
        if (err != rows[i].err)
            fail_msg("row %zu: %s, wanted %s", i, err_name(err), err_name(rows[i].err));
    }
    struct ckpt *c;
    uint8_t huge[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(ckpt_parse(huge, sizeof huge, "huge", &c), ERR_FORMAT);
    assert_int_equal(ckpt_parse(huge, 3, "short", &c), ERR_FORMAT);
    assert_int_equal(ckpt_parse(huge, 0, "empty", &c), ERR_FORMAT);
}

static void damage(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t len;
    struct rng r;
    save_sample();
    assert_int_equal(file_read(path, 1 << 20, &bytes, &len), ERR_OK);
    uint8_t *copy = malloc(len);
    rng_init(&r, 11, 0);
    for (int round = 0; round < 3000; round++) {
        size_t n = rng_below(&r, 8) ? len : rng_below(&r, (uint32_t)len);
        struct ckpt *c;
        memcpy(copy, bytes, len);
        for (uint32_t k = 1 + rng_below(&r, 4); k-- > 0;)
            copy[rng_below(&r, (uint32_t)len)] =
                (uint8_t)(rng_below(&r, 2) ? (char)rng_u32(&r) : "0123456789-[]{}\",:"[rng_below(&r, 18)]);
        if (ckpt_parse(copy, n, "damaged", &c) == ERR_OK) {
            volatile float sum = 0;
            for (size_t i = 0; i < ckpt_n(c); i++) {
                struct ckpt_tensor t = ckpt_at(c, i);
                for (size_t k = 0; k < shape_count(t.shape); k++)
                    sum += t.dtype == F32 ? ((const float *)t.data)[k] : 0;
            }
            ckpt_close(c);
        }
    }
    free(copy);
    free(bytes);
}

static struct params *some_params(int width)
{
    struct params *p = params_new();
    params_declare(p, "a.w", SHAPE(4, width), (struct init_spec){INIT_NORMAL, 1}, true);
    params_declare(p, "a.mean", SHAPE(width), (struct init_spec){INIT_UNIFORM, 1}, false);
    params_declare(p, "b.w", SHAPE(width), (struct init_spec){INIT_NORMAL, 1}, true);
    assert_int_equal(params_alloc(p, device, true), ERR_OK);
    params_init(p, (uint64_t)width);
    return p;
}

/* What has gone astray does not take the place of what was good, and is not taken for weights. */
static void no_numbers(void **state)
{
    (void)state;
    const float nan = NAN;
    struct params *p = some_params(5);
    struct ckpt *c;
    uint8_t *bytes;
    size_t len, left;
    struct ckpt_writer *w = ckpt_writer_new();
    ckpt_add_params(w, p, device);
    assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
    assert_int_equal(file_read(path, 1 << 20, &bytes, &len), ERR_OK);

    params_value(p, 2)[3] = nan;
    w = ckpt_writer_new();
    ckpt_add_params(w, p, device);
    assert_int_equal(ckpt_writer_save(w, path), ERR_RANGE);
    assert_non_null(strstr(err_text(), "b.w holds what is no number"));
    uint8_t *now;
    assert_int_equal(file_read(path, 1 << 20, &now, &left), ERR_OK);
    assert_int_equal(left, len);
    assert_memory_equal(now, bytes, len);

    memcpy(bytes + len - sizeof nan, &nan, sizeof nan);
    assert_int_equal(ckpt_parse(bytes, len, "astray", &c), ERR_OK);
    assert_int_equal(ckpt_load_params(c, p, device), ERR_FORMAT);
    ckpt_close(c);
    free(bytes);
    free(now);
    params_free(p);
}

static void whole_sets(void **state)
{
    (void)state;
    struct params *p = some_params(5), *q = some_params(5), *other = some_params(6);
    struct ema *e, *f;
    struct ckpt *c;
    struct optim o = {.kind = OPTIM_ADAM, .lr = 0.1, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8};
    for (size_t k = 0; k < 20; k++)
        params_grad(p, 0)[k] = (float)k;
    assert_int_equal(ema_new(p, device, 0.9, &e), ERR_OK);
    optim_step(&o, p, "", device);
    ema_update(e, p, device);
    struct ckpt_writer *w = ckpt_writer_new();
    ckpt_add_params(w, p, device);
    ckpt_add_moments(w, p, device);
    ckpt_add_ema(w, e, p, device);
    assert_int_equal(ckpt_writer_save(w, path), ERR_OK);

    params_init(q, 99);
    assert_int_equal(ema_new(q, device, 0.9, &f), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(ckpt_load_params(c, q, device), ERR_OK);
    assert_int_equal(ckpt_load_moments(c, q, device), ERR_OK);
    assert_int_equal(ckpt_load_ema(c, f, q, device), ERR_OK);
    assert_int_equal(ckpt_load_params(c, other, device), ERR_SHAPE);
    float *a[4], *b[4];
    size_t n, m;
    params_flat(p, &a[0], &a[1], &a[2], &a[3], &n);
    params_flat(q, &b[0], &b[1], &b[2], &b[3], &m);
    assert_int_equal(n, m);
    assert_memory_equal(a[0], b[0], n * sizeof(float));
    assert_memory_equal(a[2], b[2], n * sizeof(float));
    assert_memory_equal(a[3], b[3], n * sizeof(float));
    assert_memory_equal(params_value(p, 1), params_value(q, 1), 5 * sizeof(float));
    assert_memory_equal(ema_values(e), ema_values(f), n * sizeof(float));
    assert_int_equal(ema_updates(f), 1);
    ckpt_close(c);

    w = ckpt_writer_new();
    ckpt_add_params_named(w, p, "a.", device);
    assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
    assert_int_equal(ckpt_open(path, &c), ERR_OK);
    assert_int_equal(ckpt_n(c), 2);
    assert_int_equal(ckpt_load_params(c, q, device), ERR_SHAPE); /* b.w is missing */
    ckpt_close(c);
    ema_free(e);
    ema_free(f);
    params_free(p);
    params_free(q);
    params_free(other);
}

static void options_from_metadata(void **state)
{
    (void)state;
    static const struct opt table[] = {
        {"width", 0, OPT_INT, 1, 64, "8", NULL, "N", "how wide"},
        {"kind", 0, OPT_ENUM, 0, 0, "plain", "plain|odd", NULL, "which"},
    };
    static const struct { const char *width; bool good; } cases[] = {{"16", true}, {"65", false}, {"x", false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ckpt_writer *w = ckpt_writer_new();
        struct ckpt *c;
        struct opts *o = NULL;
        ckpt_writer_meta(w, "option.width", cases[i].width);
        ckpt_writer_meta(w, "option.unknown", "3");
        assert_int_equal(ckpt_writer_save(w, path), ERR_OK);
        assert_int_equal(ckpt_open(path, &c), ERR_OK);
        enum err err = ckpt_options(c, table, COUNT_OF(table), &o);
        assert_true((err == ERR_OK) == cases[i].good);
        if (err == ERR_OK) {
            assert_int_equal(opts_int(o, "width"), 16);
            assert_string_equal(opts_text(o, "kind"), "plain");
            opts_free(o);
        }
        ckpt_close(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(refusals),
        cmocka_unit_test(damage),
        cmocka_unit_test(no_numbers),
        cmocka_unit_test(whole_sets),
        cmocka_unit_test(options_from_metadata),
    };
    return cmocka_run_group_tests_name("ckpt", tests, start, stop);
}
