/* test_graph.c: equal nodes are one, simplifications fire and keep shapes, wrong shapes abort, printing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "compute/op.h"

static struct graph *g;

static int setup(void **state)
{
    (void)state;
    g = graph_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    graph_free(g);
    return 0;
}

static struct node *leaf(const char *name, struct shape s)
{
    return g_param(g, name, s);
}

static void equal_nodes_are_one(void **state)
{
    (void)state;
    struct node *a = leaf("a", SHAPE(3, 4)), *b = leaf("b", SHAPE(3, 4));
    assert_ptr_equal(a, leaf("a", SHAPE(3, 4)));
    assert_ptr_equal(g_add(a, b), g_add(a, b));
    assert_ptr_not_equal(g_add(a, b), g_add(b, a));
    assert_ptr_equal(g_sum(a, 2), g_sum(a, 2));
    assert_ptr_not_equal(g_sum(a, 2), g_sum(a, 1));
    float v[] = { 1, 2 }, w[] = { 1, 3 };
    assert_ptr_equal(g_const_data(g, SHAPE(2), v), g_const_data(g, SHAPE(2), v));
    assert_ptr_not_equal(g_const_data(g, SHAPE(2), v), g_const_data(g, SHAPE(2), w));
    for (int i = 0; i < 5000; i++) /* through several growths of the table */
        g_scale(a, 1, (float)i + 1);
    size_t n = graph_size(g);
    for (int i = 0; i < 5000; i++)
        g_scale(a, 1, (float)i + 1);
    assert_int_equal(graph_size(g), n);
}

static void identities(void **state)
{
    (void)state;
    struct node *a = leaf("a", SHAPE(3, 4)), *b = leaf("b", SHAPE(3, 4));
    struct node *zero = g_fill(g, SHAPE(3, 4), 0), *two = g_fill(g, SHAPE(3, 4), 2);
    assert_ptr_equal(g_add(a, zero), a);
    assert_ptr_equal(g_sub(a, zero), a);
    assert_ptr_equal(g_mul(a, g_fill(g, SHAPE(3, 4), 1)), a);
    assert_ptr_equal(g_mul(zero, a), zero);
    assert_ptr_equal(g_mul(a, two), g_scale(a, 2, 0));
    assert_ptr_equal(g_div(a, two), g_scale(a, 0.5f, 0));
    assert_ptr_equal(g_add(a, a), g_scale(a, 2, 0));
    assert_ptr_equal(g_scale(g_scale(a, 2, 1), 3, 1), g_scale(a, 6, 4));
    assert_ptr_equal(g_powc(a, 1), a);
    assert_ptr_equal(g_exp(zero), g_fill(g, SHAPE(3, 4), 1));
    assert_ptr_equal(g_select(two, a, b), a);
    assert_ptr_equal(g_select(zero, a, b), b);
    assert_ptr_equal(g_sum(two, 3), g_fill(g, SHAPE(1, 1), 24));
    assert_ptr_equal(g_sum(a, 0), a);
    assert_ptr_equal(g_expand(a, SHAPE(3, 4)), a);
    struct node *row = leaf("row", SHAPE(1, 4));
    assert_ptr_equal(g_sum(g_expand(row, SHAPE(3, 4)), 1), g_scale(row, 3, 0));
    assert_ptr_equal(g_mul(g_expand(row, SHAPE(3, 4)), g_expand(row, SHAPE(3, 4))),
                     g_expand(g_mul(row, row), SHAPE(3, 4)));
}

static void movements(void **state)
{
    (void)state;
    struct node *a = leaf("a", SHAPE(2, 3, 4));
    assert_ptr_equal(g_reshape(g_reshape(a, SHAPE(6, 4)), SHAPE(2, 3, 4)), a);
    struct node *turned = g_permute(a, (int[]){ 2, 0, 1 });
    assert_ptr_equal(g_permute(turned, (int[]){ 1, 2, 0 }), a);
    assert_ptr_equal(g_slice(a, 1, 0, 3), a);
    assert_ptr_equal(g_slice(g_slice(a, 2, 1, 3), 2, 1, 2), g_slice(a, 2, 2, 2));
    assert_ptr_equal(g_slice(g_pad(a, 1, 2, 2), 1, 2, 3), a);
    assert_ptr_equal(g_pad(g_pad(a, 1, 1, 0), 1, 0, 2), g_pad(a, 1, 1, 2));
    struct node *b = leaf("b", SHAPE(2, 5, 4)), *both = g_concat((struct node *[]){ a, b }, 2, 1);
    assert_ptr_equal(g_slice(both, 1, 3, 5), b);
    assert_ptr_equal(g_slice(both, 1, 4, 2), g_slice(b, 1, 1, 2));
    assert_ptr_equal(g_add(g_pad(b, 1, 3, 0), g_pad(a, 1, 0, 5)), both);
    struct node *three = g_concat((struct node *[]){ both, a }, 2, 1);
    assert_int_equal(three->n_in, 3);
    struct node *thin = leaf("thin", SHAPE(2, 1, 4)); /* only an axis of size 1 moves: no copy */
    assert_int_equal(g_permute(thin, (int[]){ 1, 0, 2 })->op, OP_RESHAPE);
    assert_ptr_equal(g_reflect(a, 1, 0, 0), a);
}

static void simplification_can_be_turned_off(void **state)
{
    (void)state;
    graph_simplify(g, false);
    struct node *a = leaf("a", SHAPE(3, 4));
    assert_ptr_not_equal(g_add(a, g_fill(g, SHAPE(3, 4), 0)), a);
}

static void reductions_are_of_neighbouring_axes(void **state)
{
    (void)state;
    struct node *n = g_sum(leaf("a", SHAPE(2, 3, 1, 4, 5)), 1 | 8); /* axes 0 and 3 */
    assert_int_equal(n->op, OP_SUM);
    assert_int_equal(n->attr.reduce.axes, 1);
    assert_int_equal(n->in[0]->attr.reduce.axes, 8);
    struct span s;
    assert_true(span_of(SHAPE(2, 3, 1, 4, 5), 2 | 8, &s)); /* the axis between has size 1 */
    assert_int_equal(s.outer, 2);
    assert_int_equal(s.mid, 12);
    assert_int_equal(s.inner, 5);
    assert_false(span_of(SHAPE(2, 3, 2, 4, 5), 2 | 8, &s));
}

static void bad_add(void) { g_add(leaf("a", SHAPE(2, 3)), leaf("b", SHAPE(3, 2))); }
static void bad_matmul(void) { g_matmul(leaf("a", SHAPE(2, 3)), leaf("b", SHAPE(2, 3)), false, false); }
static void bad_expand(void) { g_expand(leaf("a", SHAPE(2, 3)), SHAPE(4, 3)); }
static void bad_reshape(void) { g_reshape(leaf("a", SHAPE(2, 3)), SHAPE(7)); }
static void bad_slice(void) { g_slice(leaf("a", SHAPE(2, 3)), 1, 2, 2); }
static void bad_axis(void) { g_softmax(leaf("a", SHAPE(2, 3)), 2); }
static void bad_index(void) { g_gather(leaf("a", SHAPE(2, 3)), leaf("b", SHAPE(2))); }
static void bad_name(void) { leaf("a", SHAPE(2)); leaf("a", SHAPE(3)); }
static void bad_size(void) { leaf("a", SHAPE(2, 0)); }
static void bad_heads(void) { struct node *q = leaf("a", SHAPE(1, 2, 5)); g_attention(q, q, q, 2, true, NULL); }

static void wrong_shapes_abort(void **state)
{
    (void)state;
    void (*const wrong[])(void) = { bad_add, bad_matmul, bad_expand, bad_reshape, bad_slice,
                                    bad_axis, bad_index, bad_name, bad_size, bad_heads };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(2);
            wrong[i]();
            _exit(0);
        }
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
    }
}

static void printing(void **state)
{
    (void)state;
    struct str out;
    struct node *a = leaf("a", SHAPE(3, 4)), *y = g_sum(g_mul(a, leaf("b", SHAPE(3, 4))), 2);
    g_exp(a); /* not needed: not printed */
    str_init(&out);
    graph_print(g, &y, 1, false, &out);
    assert_non_null(strstr(str_c(&out), "sum axes 0x2 [3,1]"));
    assert_non_null(strstr(str_c(&out), "param \"a\" [3,4]"));
    assert_null(strstr(str_c(&out), "exp"));
    str_clear(&out);
    graph_print(g, &y, 1, true, &out);
    assert_non_null(strstr(str_c(&out), "digraph"));
    assert_non_null(strstr(str_c(&out), "n0 -> n2"));
    str_fini(&out);
    for (int op = 0; op < N_OPS; op++)
        assert_non_null(op_rows[op].name);
    assert_null(op_table_fault());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_nodes_are_one), TEST(identities), TEST(movements), TEST(simplification_can_be_turned_off),
        TEST(reductions_are_of_neighbouring_axes), TEST(wrong_shapes_abort), TEST(printing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
