/* The prompt: editing, history, completion, and that no key sequence leaves the buffer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "keycode.h"
#include "rng.h"
#include "tui/prompt.h"

static enum prompt_end type(struct prompt *p, struct desk *d, const char *keys)
{
    enum prompt_end end = PROMPT_GOES_ON;
    for (const char *s = keys; *s;)
        end = prompt_key(p, d, keycode_parse(&s));
    return end;
}

static void test_editing(void **state)
{
    static const struct {
        const char *keys, *want;
    } cases[] = {
        {"abc", "abc"},
        {"abc<Back>", "ab"},
        {"abc<Left><Left>X", "aXbc"},
        {"abc<Home>X<End>Y", "XabcY"},
        {"abc<Home><Del>", "bc"},
        {"\xc3\xa4\xc3\xb6<Left><Back>x", "x\xc3\xb6"},
        {"abc<C-u>d", "d"},
        {"seed<Space>12<C-w>7", "seed 7"},
        {"abc<Home><Right>X", "aXbc"},
    };
    struct desk d;
    (void)state;
    desk_init(&d);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct prompt p = {0};
        prompt_begin(&p, &d, "");
        assert_int_equal(type(&p, &d, cases[i].keys), PROMPT_GOES_ON);
        assert_string_equal(p.text, cases[i].want);
        prompt_fini(&p);
    }
    desk_fini(&d);
}

static void test_ends(void **state)
{
    struct desk d;
    struct prompt p = {0};
    (void)state;
    desk_init(&d);
    prompt_begin(&p, &d, "genre ");
    assert_string_equal(p.text, "genre ");
    assert_int_equal(type(&p, &d, "<Esc>"), PROMPT_LEFT);
    assert_int_equal(type(&p, &d, "<C-c>"), PROMPT_LEFT);
    assert_int_equal(type(&p, &d, "<Enter>"), PROMPT_DONE);
    prompt_begin(&p, &d, "");
    assert_int_equal(type(&p, &d, "<Back>"), PROMPT_LEFT);
    prompt_fini(&p);
    desk_fini(&d);
}

static void test_history(void **state)
{
    struct desk d;
    struct prompt p = {0};
    (void)state;
    desk_init(&d);
    prompt_remember(&p, "seed 1");
    prompt_remember(&p, "seed 2");
    prompt_remember(&p, "seed 2");
    assert_int_equal(p.history.n, 2);
    prompt_begin(&p, &d, "half");
    type(&p, &d, "<Up>");
    assert_string_equal(p.text, "seed 2");
    type(&p, &d, "<Up><Up><Up>");
    assert_string_equal(p.text, "seed 1");
    type(&p, &d, "<Down><Down><Down>");
    assert_string_equal(p.text, "half");
    for (int i = 0; i < 3 * PROMPT_HISTORY; i++) {
        char line[32];
        str_format(line, sizeof line, "seed %d", i);
        prompt_remember(&p, line);
    }
    assert_int_equal(p.history.n, PROMPT_HISTORY);
    prompt_fini(&p);
    desk_fini(&d);
}

static void test_completion(void **state)
{
    struct desk d;
    struct prompt p = {0};
    (void)state;
    desk_init(&d);
    prompt_begin(&p, &d, "");
    type(&p, &d, "accom<Tab>");
    assert_string_equal(p.text, "accompany ");
    prompt_begin(&p, &d, "keep ");
    type(&p, &d, "<Tab>");
    assert_string_equal(p.text, "keep bar");
    type(&p, &d, "<Tab><Tab>");
    assert_string_equal(p.text, "keep all");
    type(&p, &d, "<Tab><S-Tab><S-Tab>");
    assert_string_equal(p.text, "keep track");
    prompt_fini(&p);
    desk_fini(&d);
}

static void test_random_keys(void **state)
{
    static const int keys[] = {'a',     ' ',    'k',     0xe4,          0x6f22,        '"',    '/',
                               KC_BACK, KC_DEL, KC_LEFT, KC_RIGHT,      KC_HOME,       KC_END, KC_UP,
                               KC_DOWN, KC_TAB, KC_BTAB, KC_CTRL | 'w', KC_CTRL | 'u', KC_F1};
    struct desk d;
    struct prompt p = {0};
    struct rng r;
    (void)state;
    desk_init(&d);
    rng_init(&r, 1, 1);
    prompt_remember(&p, "genre rock");
    prompt_begin(&p, &d, "");
    for (int i = 0; i < 20000; i++) {
        if (prompt_key(&p, &d, keys[rng_below(&r, i % 2000 < 1500 ? 7 : COUNT_OF(keys))]) != PROMPT_GOES_ON)
            prompt_begin(&p, &d, "k");
        assert_true(p.len < PROMPT_MAX && p.at <= p.len && strlen(p.text) == p.len);
    }
    prompt_fini(&p);
    desk_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_editing),    cmocka_unit_test(test_ends),        cmocka_unit_test(test_history),
        cmocka_unit_test(test_completion), cmocka_unit_test(test_random_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
