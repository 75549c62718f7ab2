/* Failure texts: kept per thread, cut not overrun, prefixed from outside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"

static void text_and_place(void **state)
{
    (void)state;
    assert_int_equal(err_set(ERR_FORMAT, "byte %d of %s", 12, "x.mid"), ERR_FORMAT);
    assert_string_equal(err_text(), "byte 12 of x.mid");
    assert_non_null(strstr(err_where(), "test_err.c:"));
    err_prefix("loading %s", "song");
    assert_string_equal(err_text(), "loading song: byte 12 of x.mid");
}

static void own_text_as_argument(void **state)
{
    (void)state;
    (void)err_set(ERR_IO, "inner");
    (void)err_set(ERR_FORMAT, "outer (%s)", err_text());
    assert_string_equal(err_text(), "outer (inner)");
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    char big[2000];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    (void)err_set(ERR_IO, "%s", big);
    size_t n = strlen(err_text());
    assert_true(n > 100 && n < sizeof big);
    err_prefix("%s", big);
    err_prefix("start");
    assert_true(strlen(err_text()) < sizeof big);
    assert_int_equal(strncmp(err_text(), "start: xxx", 10), 0);
}

static void *other_thread(void *arg)
{
    (void)arg;
    (void)err_set(ERR_IO, "of the other thread");
    return NULL;
}

static void text_is_per_thread(void **state)
{
    (void)state;
    (void)err_set(ERR_IO, "mine");
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, other_thread, NULL), 0);
    pthread_join(t, NULL);
    assert_string_equal(err_text(), "mine");
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < N_ERR; i++)
        assert_true(err_name((enum err)i)[0] != '\0');
    assert_string_equal(err_name((enum err)999), "unknown error");
}

static enum err tries(enum err code)
{
    TRY(code);
    return ERR_EMPTY;
}

static void try_passes_codes_on(void **state)
{
    (void)state;
    assert_int_equal(tries(ERR_BUSY), ERR_BUSY);
    assert_int_equal(tries(ERR_OK), ERR_EMPTY);
}

static int hook_fd;
static void hook(void)
{
    if (write(hook_fd, "hook", 4) != 4)
        _exit(9);
}

static void bug_restores_then_aborts(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        hook_fd = fds[1];
        dup2(fds[1], STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        err_on_bug(hook);
        BUG_ON(1 + 1 == 2);
        _exit(0);
    }
    close(fds[1]);
    char text[8192];
    size_t n = 0;
    ssize_t got;
    while (n < sizeof text - 1 && (got = read(fds[0], text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_int_equal(strncmp(text, "hook", 4), 0);
    assert_non_null(strstr(text, "1 + 1 == 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_place),      cmocka_unit_test(own_text_as_argument),
        cmocka_unit_test(long_texts_are_cut),  cmocka_unit_test(text_is_per_thread),
        cmocka_unit_test(every_code_has_a_name), cmocka_unit_test(try_passes_codes_on),
        cmocka_unit_test(bug_restores_then_aborts),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
