/* The grid: clipping, odd characters, the ASCII tier. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tui/cell.h"
#include "tui/theme.h"

static void expect(const struct grid *g, const char *want)
{
    struct str text = {0};
    grid_print(g, &text);
    assert_string_equal(str_c(&text), want);
    str_fini(&text);
}

static void test_clipping(void **state)
{
    struct grid g;
    (void)state;
    grid_init(&g, 6, 3, false);
    assert_int_equal(grid_text(&g, 4, 0, 99, STYLE_PLAIN, 0, "abcdef"), 10);
    grid_text(&g, -2, 1, 99, STYLE_PLAIN, 0, "abcdef");
    assert_int_equal(grid_text(&g, 0, 2, 2, STYLE_PLAIN, 0, "abcdef"), 2);
    grid_put(&g, 0, 99, 'x', STYLE_PLAIN, 0);
    grid_put(&g, -1, -1, 'x', STYLE_PLAIN, 0);
    grid_fill(&g, (struct rect){5, 2, 100, 100}, '#', STYLE_PLAIN);
    assert_null(grid_at(&g, 6, 0));
    assert_null(grid_at(&g, 0, -1));
    expect(&g, "    ab\ncdef\nab   #\n");
    grid_fini(&g);
}

/* Nothing may take two columns or none: the rest of the line would move. */
static void test_odd_characters(void **state)
{
    struct grid g;
    (void)state;
    grid_init(&g, 12, 1, false);
    grid_text(&g, 0, 0, 12, STYLE_PLAIN, 0,
              "\xc3\xa4\xe6\xbc\xa2\xf0\x9f\x8e\xb5\xcc\x81\xff\x1b\xe2\x96\x88z");
    expect(&g, "\xc3\xa4?????\xe2\x96\x88z\n");
    grid_fini(&g);
    grid_init(&g, 12, 1, true);
    grid_text(&g, 0, 0, 12, STYLE_PLAIN, 0, "\xc3\xa4\xe2\x96\x88z");
    expect(&g, "??z\n");
    grid_fini(&g);
}

/* Every state can be told apart without colour, and 8 colours need at most 63 pairs. */
static void test_theme(void **state)
{
    (void)state;
    for (int s = 0; s < N_STYLES; s++)
        for (int g = 0; g < N_GROUNDS; g++) {
            struct paint mono = theme_paint(DEPTH_MONO, (enum style)s, (enum ground)g);
            assert_int_equal(mono.fg, -1);
            assert_int_equal(mono.bg, -1);
            struct paint eight = theme_paint(DEPTH_8, (enum style)s, (enum ground)g);
            assert_true(eight.fg >= -1 && eight.fg < 8 && eight.bg == -1);
            if (g >= GROUND_SELECTED)
                assert_true(mono.look & LOOK_REVERSE);
        }
    assert_true(N_STYLES < 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clipping),
        cmocka_unit_test(test_odd_characters),
        cmocka_unit_test(test_theme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
