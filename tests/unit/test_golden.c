/* test_golden.c: layers and their gradients against PyTorch: numbers written by tests/golden/ops.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compute/op.h"
#include "group.h"

enum { MOST = 12 };
struct golden { char name[32]; struct shape shape; float *value; int32_t *whole; };
struct golden_case { char name[32]; struct golden t[MOST]; int n; };

static struct golden *tensor(struct golden_case *c, const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->t[i].name, name) == 0)
            return &c->t[i];
    return NULL;
}

/* ------------------------------------------------------------------ the layers */

typedef struct node *(*layer_fn)(struct node **in);

static const struct geom conv_geom = { { 2, 3, 3 }, { 1, 2, 2 }, { 0, 1, 1 }, { 1, 1, 0 } };
static const struct geom equal_geom = { { 1, 3, 2 }, { 1, 3, 2 }, { 0 }, { 0 } };
static const struct geom up_geom = { { 2, 3, 2 }, { 1, 2, 2 }, { 0, 1, 0 }, { 0, 1, 0 } };
static const struct geom up_equal_geom = { { 1, 4, 3 }, { 1, 4, 3 }, { 0 }, { 0 } };

#define LAYER(name, expression) static struct node *name(struct node **in) { return expression; }
LAYER(conv, g_conv(in[0], in[1], conv_geom))
LAYER(conv_equal, g_conv(in[0], in[1], equal_geom))
LAYER(conv_t, g_conv_t(in[0], in[1], up_geom, (int32_t[]){ 3, 5, 6 }))
LAYER(conv_t_equal, g_conv_t(in[0], in[1], up_equal_geom, (int32_t[]){ 4, 4, 9 }))
LAYER(attention, g_attention(in[0], in[1], in[2], 2, false, NULL))
LAYER(attention_causal, g_attention(in[0], in[1], in[2], 4, true, NULL))
LAYER(attention_length, g_attention(in[0], in[1], in[2], 2, true, in[3]))
LAYER(layer_norm, g_norm(in[0], 4, 1e-5f))
LAYER(batch_norm, g_norm(in[0], 3, 1e-3f))
LAYER(instance_norm, g_norm(in[0], 2, 1e-5f))
LAYER(xent, g_xent(in[0], in[1]))
LAYER(gelu, g_gelu(in[0]))
LAYER(softmax, g_softmax(in[0], 1))
LAYER(softmax_first, g_softmax(in[0], 0))
LAYER(logsumexp, g_logsumexp(in[0], 1))
LAYER(sigmoid, g_sigmoid(in[0]))
LAYER(tangent, g_tanh(in[0]))
LAYER(leaky, g_leaky(in[0], 0.2f))
LAYER(linear, g_linear(in[0], in[1], in[2], ACT_NONE))
LAYER(matmul, g_matmul(in[0], in[1], false, false))
LAYER(reflect, g_reflect(in[0], 1, 2, 3))
LAYER(gather, g_gather(in[0], in[1]))
LAYER(gru, g_gru(in[0], in[1], in[2]))

static const struct { const char *name; layer_fn build; } layers[] = {
    { "conv", conv }, { "conv_equal", conv_equal }, { "conv_t", conv_t }, { "conv_t_equal", conv_t_equal },
    { "attention", attention }, { "attention_causal", attention_causal }, { "attention_length", attention_length },
    { "layer_norm", layer_norm }, { "batch_norm", batch_norm }, { "instance_norm", instance_norm }, { "xent", xent },
    { "gelu", gelu }, { "softmax", softmax }, { "softmax_first", softmax_first }, { "logsumexp", logsumexp },
    { "sigmoid", sigmoid }, { "tanh", tangent }, { "leaky", leaky }, { "linear", linear }, { "matmul", matmul },
    { "reflect", reflect }, { "gather", gather }, { "gru", gru },
};

/* ------------------------------------------------------------------ the file */

/* Names of integer tensors; all others are floats. */
static bool is_whole(const char *name)
{
    return strcmp(name, "length") == 0 || strcmp(name, "target") == 0 || strcmp(name, "idx") == 0;
}

static void read_tensor(FILE *f, char *line, struct golden *t)
{
    char *rest = line, *word = str_split(&rest, ' ');
    assert_true(str_copy(t->name, sizeof(t->name), word));
    while ((word = str_split(&rest, ' ')) && *word)
        t->shape.dim[t->shape.rank++] = (int32_t)strtol(word, NULL, 10);
    size_t n = shape_count(t->shape);
    t->value = xcalloc(n, sizeof(*t->value));
    t->whole = xcalloc(n, sizeof(*t->whole));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(fscanf(f, "%f", &t->value[i]), 1);
        t->whole[i] = (int32_t)t->value[i];
    }
    assert_int_equal(fgetc(f), '\n');
}

/* The next case; false at the end of the file. `line` holds the line read ahead. */
static bool read_case(FILE *f, char *line, size_t cap, struct golden_case *c)
{
    memset(c, 0, sizeof(*c));
    if (!str_starts(line, "case "))
        return false;
    line[strcspn(line, "\n")] = 0;
    assert_true(str_copy(c->name, sizeof(c->name), line + 5));
    while (fgets(line, (int)cap, f) && !str_starts(line, "case ")) {
        line[strcspn(line, "\n")] = 0;
        assert_true(c->n < MOST);
        read_tensor(f, line, &c->t[c->n++]);
    }
    return true;
}

/* ------------------------------------------------------------------ one case */

static void compare(const struct golden_case *c, const struct golden *want, const float *got)
{
    for (size_t i = 0; i < shape_count(want->shape); i++)
        if (!(fabsf(got[i] - want->value[i]) <= 1e-5f * fmaxf(1, fabsf(want->value[i]))))
            fail_msg("%s, %s[%zu]: %.9g instead of %.9g", c->name, want->name, i, (double)got[i],
                     (double)want->value[i]);
}

static void run_case(struct golden_case *c)
{
    struct graph *g = graph_new();
    struct node *in[MOST], *wrt[MOST], *outs[MOST], *y = NULL;
    const struct golden *want[MOST];
    struct plan *p;
    char name[40];
    int n_in = 0, n_wrt = 0;
    for (; strcmp(c->t[n_in].name, "seed") != 0; n_in++) {
        struct golden *t = &c->t[n_in];
        in[n_in] = g_input(g, t->name, is_whole(t->name) ? I32 : F32, t->shape);
        if (is_whole(t->name))
            continue;
        str_format(name, sizeof(name), "d_%s", t->name);
        wrt[n_wrt] = in[n_in];
        want[++n_wrt] = tensor(c, name);
    }
    for (size_t i = 0; i < COUNT_OF(layers); i++)
        if (strcmp(layers[i].name, c->name) == 0)
            y = layers[i].build(in);
    assert_non_null(y);
    assert_true(shape_same(y->shape, tensor(c, "y")->shape));
    struct node *seed = g_input(g, "seed", F32, y->shape);
    outs[0] = y;
    want[0] = tensor(c, "y");
    graph_vjp(y, seed, wrt, n_wrt, outs + 1);
    assert_int_equal(plan_new(device, g, outs, n_wrt + 1, NULL, &p), ERR_OK);
    for (int i = 0; i < n_in; i++)
        plan_bind(p, in[i], on_put(device, is_whole(c->t[i].name) ? (void *)c->t[i].whole : (void *)c->t[i].value,
                                   node_count(in[i]) * sizeof(float)));
    plan_bind(p, seed, on_put(device, tensor(c, "seed")->value, node_count(seed) * sizeof(float)));
    assert_int_equal(plan_run(p, NULL), ERR_OK);
    for (int i = 0; i <= n_wrt; i++)
        compare(c, want[i], on_view(device, plan_output(p, i), node_count(outs[i])));
    plan_free(p);
    graph_free(g);
}

static void layers_agree_with_pytorch(void **state)
{
    (void)state;
    FILE *f = fopen("tests/golden/ops.txt", "r");
    char line[256] = "";
    size_t count = 0;
    struct golden_case c;
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    while (read_case(f, line, sizeof(line), &c)) {
        run_case(&c);
        count++;
        for (int i = 0; i < c.n; i++) {
            free(c.t[i].value);
            free(c.t[i].whole);
        }
    }
    fclose(f);
    assert_int_equal(count, COUNT_OF(layers));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(layers_agree_with_pytorch) };
    return cmocka_run_group_tests(tests, group_two_threads, group_end);
}
