/* Files in and out, walks, paths, places, the cursor over hostile bytes; and the log, which is a file too. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "str.h"

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    str_copy(dir, sizeof dir, "/tmp/jamroll-test-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char command[100];
    str_format(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void write_then_read(void **state)
{
    (void)state;
    char *path = path_join(dir, "a.bin");
    uint8_t data[100000], *got = NULL;
    size_t n = 0;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    assert_int_equal(file_write(path, data, sizeof data), ERR_OK);
    assert_int_equal(file_read(path, sizeof data, &got, &n), ERR_OK);
    assert_int_equal(n, sizeof data);
    assert_memory_equal(got, data, n);
    free(got);
    assert_int_equal(file_read(path, sizeof data - 1, &got, &n), ERR_RANGE);
    assert_int_equal(file_write(path, "new", 3), ERR_OK);
    const uint8_t *map = NULL;
    assert_int_equal(file_map(path, &map, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_memory_equal(map, "new", 3);
    file_unmap(map, n);
    assert_int_equal(file_write(path, NULL, 0), ERR_OK);
    assert_int_equal(file_map(path, &map, &n), ERR_OK);
    assert_int_equal(n, 0);
    file_unmap(map, n);
    assert_int_equal(file_read(path, 10, &got, &n), ERR_OK);
    assert_int_equal(n, 0);
    free(got);
    free(path);
}

static void write_keeps_mode_and_links(void **state)
{
    (void)state;
    char *path = path_join(dir, "mode"), *link = path_join(dir, "link");
    struct stat st;
    assert_int_equal(file_write(path, "1", 1), ERR_OK);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(file_write(link, "22", 2), ERR_OK);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(st.st_size, 2);
    free(path);
    free(link);
}

static void failures_leave_nothing(void **state)
{
    (void)state;
    uint8_t *got = NULL;
    size_t n = 0;
    assert_int_equal(file_read("/nonexistent/x", 10, &got, &n), ERR_MISSING);
    assert_non_null(strstr(err_text(), "/nonexistent/x"));
    assert_int_equal(file_read(dir, 10, &got, &n), ERR_IO);
    assert_int_equal(file_write(dir, "x", 1), ERR_IO);
    assert_int_equal(file_write("/nonexistent/x", "x", 1), ERR_MISSING);
    assert_int_equal(file_write("/dev/full", "x", 1), ERR_IO);
    assert_int_equal(file_write("/dev/null", "x", 1), ERR_OK);
    assert_null(got);
}

static enum err collect(void *ctx, const char *path)
{
    str_addf(ctx, "%s ", path + strlen(dir) + 1);
    return str_ends(path, "stop") ? ERR_CANCELLED : ERR_OK;
}

static void walking(void **state)
{
    (void)state;
    char *sub = path_join(dir, "walk/b/c"), *loop = path_join(sub, "loop");
    assert_int_equal(file_mkdirs(sub), ERR_OK);
    assert_int_equal(file_mkdirs(sub), ERR_OK);
    assert_true(file_is_dir(sub));
    assert_int_equal(symlink("..", loop), 0);
    static const char *const names[] = {"walk/z", "walk/a", "walk/b/m", "walk/b/c/n"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char *p = path_join(dir, names[i]);
        assert_int_equal(file_write(p, "x", 1), ERR_OK);
        assert_true(file_exists(p));
        assert_int_not_equal(file_mkdirs(p), ERR_OK);
        free(p);
    }
    struct str seen;
    str_init(&seen);
    char *top = path_join(dir, "walk"), *stop = path_join(dir, "walk/b/stop");
    assert_int_equal(file_walk(top, collect, &seen), ERR_OK);
    assert_string_equal(str_c(&seen), "walk/a walk/b/c/n walk/b/m walk/z ");
    assert_int_equal(file_write(stop, "x", 1), ERR_OK);
    str_clear(&seen);
    assert_int_equal(file_walk(top, collect, &seen), ERR_CANCELLED);
    assert_string_equal(str_c(&seen), "walk/a walk/b/c/n walk/b/m walk/b/stop ");
    assert_int_equal(file_walk("/nonexistent", collect, &seen), ERR_MISSING);
    str_fini(&seen);
    free(top);
    free(stop);
    free(sub);
    free(loop);
}

static void check_path(char *got, const char *want)
{
    assert_string_equal(got, want);
    free(got);
}

static void paths_and_places(void **state)
{
    (void)state;
    check_path(path_join("a", "b"), "a/b");
    check_path(path_join("a/", "b"), "a/b");
    check_path(path_join("", "b"), "b");
    assert_string_equal(path_base("a/b.mid"), "b.mid");
    assert_string_equal(path_ext("a.x/b"), "");
    assert_string_equal(path_ext("a/.hidden"), "");
    assert_string_equal(path_ext("a/b.tar.gz"), ".gz");
    check_path(path_with_ext("a.x/b", ".wav"), "a.x/b.wav");
    check_path(path_with_ext("a/b.mid", ".wav"), "a/b.wav");
    setenv("HOME", "/home/x", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("XDG_STATE_HOME", "relative", 1);
    check_path(place_path(PLACE_DATA, "models"), "/data/jamroll/models");
    check_path(place_path(PLACE_STATE, "log"), "/home/x/.local/state/jamroll/log");
    char *unit = place_beside_program("unit"); /* build/unit/test_file: the folder above its own is build */
    assert_true(unit && file_is_dir(unit));
    free(unit);
}

static void cursor_stops_at_the_end(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21};
    struct cursor c = {.p = bytes, .len = sizeof bytes};
    assert_int_equal(cursor_u8(&c), 1);
    assert_int_equal(cursor_be16(&c), 0x0203);
    assert_int_equal(cursor_le16(&c), 0x0504);
    assert_int_equal(cursor_be32(&c), 0x06070809);
    assert_int_equal(cursor_le32(&c), 0x0d0c0b0a);
    assert_true(cursor_le64(&c) == 0x1514131211100f0eu);
    assert_int_equal(cursor_left(&c), 0);
    assert_false(c.bad);
    c.at = sizeof bytes - 3;
    assert_int_equal(cursor_be32(&c), 0);
    assert_true(c.bad);
    assert_int_equal(cursor_u8(&c), 0); /* sticks although a byte is left */
    c.bad = false;
    assert_null(cursor_bytes(&c, SIZE_MAX));
    c = (struct cursor){.p = bytes, .len = sizeof bytes, .at = 1000};
    assert_int_equal(cursor_left(&c), 0);
    assert_null(cursor_bytes(&c, 1));
}

static void log_keeps_and_writes(void **state)
{
    (void)state;
    char *path = path_join(dir, "log"), line[100];
    log_quiet(true);
    assert_int_equal(log_file(path), ERR_OK);
    log_debug("unseen");
    log_info("first %d", 1);
    log_warn("second");
    assert_int_equal(log_last(0, line, sizeof line), LOG_WARN);
    assert_string_equal(line, "second");
    assert_int_equal(log_last(1, line, sizeof line), LOG_INFO);
    assert_string_equal(line, "first 1");
    assert_int_equal(log_last(2, line, sizeof line), -1);
    assert_int_equal(log_last(0, line, 3), LOG_WARN);
    assert_string_equal(line, "se");
    log_level(LOG_ERROR);
    log_warn("unseen");
    assert_int_equal(log_last(0, line, sizeof line), LOG_WARN);
    assert_int_equal(log_file(NULL), ERR_OK);
    uint8_t *text = NULL;
    size_t n = 0;
    assert_int_equal(file_read(path, 1000, &text, &n), ERR_OK);
    assert_non_null(memmem(text, n, "info: first 1\n", 14));
    assert_non_null(memmem(text, n, "warning: second\n", 16));
    assert_null(memmem(text, n, "unseen", 6));
    free(text);
    log_level(LOG_DEBUG);
    for (int i = 0; i < 600; i++)
        log_debug("%d", i);
    assert_int_equal(log_last(255, line, sizeof line), LOG_DEBUG);
    assert_string_equal(line, "344");
    assert_int_equal(log_last(256, line, sizeof line), -1);
    assert_int_equal(log_file("/nonexistent/log"), ERR_IO);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_then_read), cmocka_unit_test(write_keeps_mode_and_links),
        cmocka_unit_test(failures_leave_nothing), cmocka_unit_test(walking), cmocka_unit_test(paths_and_places),
        cmocka_unit_test(cursor_stops_at_the_end), cmocka_unit_test(log_keeps_and_writes),
    };
    return cmocka_run_group_tests_name("file", tests, make_dir, remove_dir);
}
