/* test_journal.c: a program killed at any moment loses at most the edit under way; damaged journals never do harm;
 * nothing is left when all is saved. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <cmocka.h>
#include "app/state.h"
#include "clock.h"
#include "command.h"
#include "file.h"
#include "journal.h"
#include "mem.h"
#include "rng.h"
#include "str.h"

static char dir[64];

static int setup(void **state)
{
    (void)state;
    str_format(dir, sizeof dir, "/tmp/test_journal_%d", (int)getpid());
    return file_mkdirs(dir) == ERR_OK ? 0 : -1;
}

static enum err unlink_one(void *ctx, const char *path)
{
    ++*(int *)ctx;
    unlink(path);
    return ERR_OK;
}

static int wipe(void)
{
    int n = 0;
    assert_int_equal(file_walk(dir, unlink_one, &n), ERR_OK);
    return n;
}

static int teardown(void **state)
{
    (void)state;
    wipe();
    return rmdir(dir);
}

/* ---- random edits ---- */

static void some_takes(struct desk *d, struct rng *r)
{
    struct session *s = d->session;
    struct request rq;
    session_settings(s)->seed = rng_below(r, 1000);
    session_request(s, VERB_GENERATE, 0, session_n_bars(s), &rq);
    session_begin_takes(s, &rq, 0);
    for (int i = 0; i < 3; i++) {
        struct take *t = xcalloc(1, sizeof *t);
        t->song = song_dup(session_song(s));
        t->seed = rq.seed + (uint64_t)(2 - i);
        str_copy(t->model, sizeof t->model, "nobody \"at\" all");
        for (int k = 0; k < 20; k++)
            track_add(&t->song->tracks[rng_below(r, N_ROLES)],
                      (struct note){(int32_t)rng_below(r, 7680), 1 + (int32_t)rng_below(r, 900),
                                    (uint8_t)rng_below(r, 128), (uint8_t)(1 + rng_below(r, 127))});
        session_add_take(s, 2 - i, t);
    }
}

static void edit(struct desk *d, struct rng *r)
{
    static const char *const lines[] = {
        "note",
        "note",
        "note",
        "right",
        "right",
        "up",
        "down",
        "track 1",
        "track 2",
        "track 4",
        "bar 1",
        "bar 3",
        "delete",
        "undo",
        "undo",
        "redo",
        "longer +1",
        "velocity -8",
        "transpose 2",
        "bars 8",
        "bars 4",
        "tempo +3",
        "program 30",
        "volume 77",
        "keep bar",
        "keep track",
        "let-go",
        "mute",
        "solo",
        "star",
        "mark A",
        "mark B",
        "take next",
        "take prev",
        "take 0",
        "snap",
        "temperature 1.25",
        "seed 99",
        "density 3",
        "onset +",
    };
    uint32_t what = rng_below(r, COUNT_OF(lines) + 1);
    if (what == COUNT_OF(lines))
        some_takes(d, r);
    else if (command_run(d, lines[what]) != ERR_OK)
        desk_complain(d);
}

static char *text_of(const struct session *s)
{
    struct str out = {0};
    jam_print(s, &out);
    return str_take(&out);
}

static void start(struct desk *d, struct rng *r, uint64_t seed)
{
    desk_init(d);
    rng_init(r, seed, 3);
}

/* ---- tests ---- */

static void test_every_edit(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct desk d;
        struct rng r;
        struct orphan none;
        start(&d, &r, seed);
        struct journal *j = journal_new(dir);
        for (int i = 0; i < 120; i++) {
            edit(&d, &r);
            assert_int_equal(journal_update(j, d.session), ERR_OK);
            assert_false(journal_find(dir, &none)); /* its program lives */
        }
        bool dirty = session_dirty(d.session);
        journal_free(j);
        struct orphan o;
        assert_int_equal(journal_find(dir, &o), dirty);
        if (dirty) {
            struct session *s = session_new();
            assert_string_equal(o.name, "untitled");
            assert_int_equal(journal_recover(o.path, s), ERR_OK);
            char *want = text_of(d.session), *got = text_of(s);
            assert_string_equal(want, got);
            assert_true(session_dirty(s));
            free(want);
            free(got);
            session_free(s);
            orphan_discard(&o);
        }
        orphan_fini(&o);
        desk_fini(&d);
        assert_int_equal(wipe(), 0);
    }
}

static void test_goes_when_saved(void **state)
{
    (void)state;
    struct desk d;
    char path[80];
    desk_init(&d);
    struct journal *j = journal_new(dir);
    assert_int_equal(journal_update(j, d.session), ERR_OK);
    assert_int_equal(wipe(), 0);
    assert_int_equal(command_run(&d, "note"), ERR_OK);
    assert_int_equal(journal_update(j, d.session), ERR_OK);
    str_format(path, sizeof path, "%s.jam", dir);
    assert_int_equal(session_save(d.session, path), ERR_OK);
    assert_int_equal(journal_update(j, d.session), ERR_OK);
    assert_int_equal(wipe(), 0);
    /* The name goes with the journal. */
    assert_int_equal(command_run(&d, "transpose 1"), ERR_OK);
    assert_int_equal(journal_update(j, d.session), ERR_OK);
    journal_free(j);
    struct orphan o;
    struct session *s = session_new();
    assert_true(journal_find(dir, &o));
    assert_string_equal(o.name, path_base(path));
    assert_int_equal(journal_recover(o.path, s), ERR_OK);
    assert_string_equal(session_path(s), path);
    orphan_fini(&o);
    session_free(s);
    desk_fini(&d);
    unlink(path);
    assert_int_equal(wipe(), 1);
}

/* Many edits of a large session: the file is written anew now and then and stays bounded. */
static void test_compacts(void **state)
{
    (void)state;
    struct desk d;
    struct rng r;
    start(&d, &r, 5);
    struct journal *j = journal_new(dir);
    for (int i = 0; i < 4000; i++)
        track_push(&session_song(d.session)->tracks[1],
                   (struct note){(int32_t)rng_below(&r, 7680), 10, (uint8_t)rng_below(&r, 128), 64});
    track_sort(&session_song(d.session)->tracks[1]);
    uint64_t worst = 0, sum = 0;
    enum { EDITS = 200 };
    for (int i = 0; i < EDITS; i++) {
        session_edit_begin(d.session, "louder");
        session_song(d.session)->tracks[1].notes[i].vel = (uint8_t)(65 + i % 50);
        session_edit_end(d.session);
        if (i == 50)
            some_takes(&d, &r);
        uint64_t from = clock_ns();
        assert_int_equal(journal_update(j, d.session), ERR_OK);
        uint64_t took = clock_ns() - from;
        worst = took > worst ? took : worst;
        sum += took;
    }
    print_message("4000 notes: an edit is written in %.2f ms, at most %.2f ms\n", (double)sum / EDITS / 1e6,
                  (double)worst / 1e6);
    journal_free(j);
    struct orphan o;
    uint8_t *bytes;
    size_t len;
    struct session *s = session_new();
    assert_true(journal_find(dir, &o));
    assert_int_equal(file_read(o.path, 64 << 20, &bytes, &len), ERR_OK);
    assert_true(len < 12 << 20);
    assert_int_equal(journal_recover(o.path, s), ERR_OK);
    assert_int_equal(session_n_takes(s), 3);
    char *want = text_of(d.session), *got = text_of(s);
    assert_string_equal(want, got);
    free(want);
    free(got);
    free(bytes);
    orphan_fini(&o);
    session_free(s);
    desk_fini(&d);
    assert_int_equal(wipe(), 1);
}

static void run_until_killed(uint64_t seed, atomic_int *done)
{
    struct desk d;
    struct rng r;
    start(&d, &r, seed);
    struct journal *j = journal_new(dir);
    for (;;) {
        edit(&d, &r);
        if (journal_update(j, d.session) != ERR_OK)
            _exit(1);
        atomic_fetch_add(done, 1);
    }
}

/* What was recovered is the session after all finished edits, or after one more. */
static bool agrees(const struct session *got, uint64_t seed, int done)
{
    struct desk d;
    struct rng r;
    bool same = false;
    char *text = got ? text_of(got) : NULL;
    start(&d, &r, seed);
    for (int i = 0; i <= done && !same; i++) {
        if (i > 0)
            edit(&d, &r);
        if (i < done)
            continue;
        for (int more = 0; more < 2 && !same; more++) {
            if (more)
                edit(&d, &r);
            char *now = text_of(d.session);
            same = text ? strcmp(text, now) == 0 : !session_dirty(d.session);
            free(now);
        }
    }
    free(text);
    desk_fini(&d);
    return same;
}

static void test_killed(void **state)
{
    (void)state;
    atomic_int *done = mmap(NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rng r;
    int recovered = 0, edits = 0;
    rng_init(&r, 42, 0);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct orphan o;
        struct session *s = session_new();
        atomic_store(done, 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            run_until_killed(seed, done);
        usleep(500 + rng_below(&r, 6000));
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        bool found = journal_find(dir, &o);
        if (found) {
            assert_int_equal(journal_recover(o.path, s), ERR_OK);
            orphan_discard(&o);
        }
        orphan_fini(&o);
        recovered += found;
        edits += atomic_load(done);
        if (!agrees(found ? s : NULL, seed, atomic_load(done)))
            fail_msg("seed %d: lost more than one of %d edits", (int)seed, atomic_load(done));
        session_free(s);
        wipe();
    }
    print_message("killed 200 times over %d edits, %d recovered\n", edits, recovered);
    assert_true(recovered > 100);
    munmap(done, sizeof *done);
}

/* Bytes changed, with and without sums that agree; cut anywhere. */
static void test_hostile(void **state)
{
    (void)state;
    struct desk d;
    struct rng r;
    struct orphan o;
    uint8_t *bytes;
    size_t len;
    start(&d, &r, 9);
    struct journal *j = journal_new(dir);
    for (int i = 0; i < 12; i++) {
        if (i == 3)
            some_takes(&d, &r);
        assert_int_equal(command_run(&d, i % 2 ? "right" : "note"), ERR_OK);
        assert_int_equal(journal_update(j, d.session), ERR_OK);
    }
    journal_free(j);
    assert_true(journal_find(dir, &o));
    assert_int_equal(file_read(o.path, 1 << 24, &bytes, &len), ERR_OK);
    uint8_t *copy = malloc(len);
    for (int i = 0; i < 1500; i++) {
        struct session *s = session_new();
        size_t n = i % 3 ? len : rng_below(&r, (uint32_t)len);
        memcpy(copy, bytes, n);
        for (uint32_t k = rng_below(&r, 4); k > 0 && n > 0; k--)
            copy[rng_below(&r, (uint32_t)n)] =
                (uint8_t)(i % 2 ? "0189-.k\"[]{},e"[rng_below(&r, 14)] : (int)rng_below(&r, 256));
        for (size_t at = 0; i % 2 && at + 16 <= n;) { /* sums made to agree, while lengths lead somewhere */
            uint32_t size = copy[at + 8] | (uint32_t)copy[at + 9] << 8 | (uint32_t)copy[at + 10] << 16;
            if (at + 16 + size > n)
                break;
            uint32_t sum = (uint32_t)crc32(crc32(0, copy + at + 4, 8), copy + at + 16, size);
            for (int b = 0; b < 4; b++)
                copy[at + 12 + (size_t)b] = (uint8_t)(sum >> 8 * b);
            at += 16 + size;
        }
        uint8_t *exact = malloc(n ? n : 1); /* so that a byte too far is seen */
        memcpy(exact, copy, n);
        char *before = text_of(s);
        if (journal_parse(exact, n, "damaged", s) != ERR_OK) {
            char *after = text_of(s);
            assert_string_equal(before, after);
            free(after);
        }
        free(before);
        free(exact);
        session_free(s);
    }
    free(copy);
    free(bytes);
    orphan_fini(&o);
    desk_fini(&d);
    wipe();
}

static void test_nowhere_to_write(void **state)
{
    (void)state;
    struct desk d;
    struct orphan o;
    desk_init(&d);
    struct journal *j = journal_new("/dev/null/journal");
    assert_int_equal(journal_update(j, d.session), ERR_OK);
    assert_int_equal(command_run(&d, "note"), ERR_OK);
    assert_int_not_equal(journal_update(j, d.session), ERR_OK);
    assert_int_equal(journal_update(j, d.session), ERR_OK); /* said once a change */
    assert_false(journal_find("/dev/null/journal", &o));
    journal_free(j);
    desk_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_edit), cmocka_unit_test(test_goes_when_saved),
        cmocka_unit_test(test_compacts),   cmocka_unit_test(test_killed),
        cmocka_unit_test(test_hostile),    cmocka_unit_test(test_nowhere_to_write),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
