/* killed.c: the program itself, in a terminal, edits and saves and is killed with SIGKILL at a random moment. What is
 * taken up again may lack the edit under way and no other, and the project file opens whatever happened.
 *
 *     killed [COUNT [SEED]]     25 kills by default; the program is $JAMROLL or build/jamroll */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "clock.h"
#include "file.h"
#include "mem.h"
#include "rng.h"
#include "str.h"

enum { COLUMNS = 30, SAVE_EVERY = 7, QUIET_MS = 4 };
static const double LONGEST = 1.2, PATIENCE = 60; /* seconds of editing; until the program must have answered */

static char dir[64], program[4096];

struct term { pid_t child; int fd; size_t seen; bool gone; };

static void fail(const char *what)
{
    fprintf(stderr, "killed: %s\n", what);
    exit(1);
}

static char *in_dir(const char *name)
{
    return path_join(dir, name);
}

/* ---- the program in a terminal ---- */

static struct term start(const char *const argv[])
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    struct term t = {0};
    t.child = forkpty(&t.fd, NULL, NULL, &size);
    if (t.child == 0) {
        if (chdir(dir) == 0)
            execv(program, (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (t.child < 0)
        fail("no terminal");
    return t;
}

/* Read what there is within `seconds`; false when nothing came or the program is gone. */
static bool hear(struct term *t, double seconds)
{
    struct pollfd p = {t->fd, POLLIN, 0};
    char bytes[8192];
    if (t->gone || seconds < 0 || poll(&p, 1, (int)(seconds * 1000)) <= 0)
        return false;
    ssize_t n = read(t->fd, bytes, sizeof bytes);
    t->gone = n <= 0;
    t->seen += n > 0 ? (size_t)n : 0;
    return n > 0;
}

static void settle(struct term *t)
{
    while (hear(t, QUIET_MS / 1000.0))
        ;
}

/* Until the first frame is there and nothing follows. */
static void wait_for_screen(struct term *t)
{
    double until = clock_s() + PATIENCE;
    while (t->seen < 1000 && !t->gone && clock_s() < until)
        hear(t, 0.1);
    for (int quiet = 0; quiet < 3; quiet = hear(t, 0.05) ? 0 : quiet + 1)
        ;
}

static void type(const struct term *t, const char *keys)
{
    if (write(t->fd, keys, strlen(keys)) < 0 && errno != EIO)
        fail("the terminal takes no keys");
}

/* Type and wait for the frame that follows; false when the time was over first. */
static bool answered(struct term *t, const char *keys, double deadline)
{
    settle(t);
    if (clock_s() >= deadline)
        return false;
    type(t, keys);
    if (!hear(t, deadline - clock_s()))
        return false;
    return true;
}

static int end(struct term *t, int sig)
{
    int status;
    if (sig)
        kill(t->child, sig);
    double until = clock_s() + PATIENCE;
    while (waitpid(t->child, &status, WNOHANG) == 0) {
        if (!hear(t, 0.01))
            usleep(1000);
        if (clock_s() > until)
            fail("the program does not end");
    }
    close(t->fd);
    return status;
}

/* ---- notes in a file, by the program's own eyes ---- */

static int notes_in(const char *name)
{
    struct str line = {0};
    str_addf(&line, "cd '%s' && '%s' info --notes '%s' 2> info.err", dir, program, name);
    FILE *f = popen(str_c(&line), "r");
    int n = -1;
    for (int c; f && (c = getc(f)) != EOF;)
        n += c == '\n';
    str_fini(&line);
    return f && pclose(f) == 0 ? n : -1;
}

static void run(const char *script)
{
    struct str line = {0};
    str_addf(&line, "cd '%s' && printf '%s' | '%s' batch -q --no-rc", dir, script, program);
    if (system(str_c(&line)) != 0)
        fail("the project to begin with cannot be made");
    str_fini(&line);
}

/* ---- one life ---- */

struct life { int edits, saved; bool in_flight, saving; };

/* A note of two columns after the other, a row up at the end of the line; now and then the project is saved. */
static struct life edit_until(struct term *t, double deadline)
{
    struct life life = {0};
    for (int i = 0;; i++) {
        life.in_flight = true;
        if (!answered(t, "\r", deadline))
            return life;
        life.in_flight = false;
        life.edits++;
        if (!answered(t, (i + 1) % COLUMNS ? "ll" : "0", deadline))
            return life;
        if ((i + 1) % COLUMNS == 0 && !answered(t, "k", deadline))
            return life;
        if ((i + 1) % SAVE_EVERY == 0) {
            life.saving = true;
            if (!answered(t, "\023", deadline))
                return life;
            life.saving = false;
            life.saved = life.edits;
        }
    }
}

/* Take up what was left and count it. False when there was nothing to take up. */
static bool take_up(int *notes)
{
    const char *const argv[] = {program, "--audio", "none", "--recover", NULL};
    char *out = in_dir("out.mid");
    unlink(out);
    struct term t = start(argv);
    wait_for_screen(&t);
    type(&t, ":midi out.mid\r");
    settle(&t);
    type(&t, ":quit!\r");
    int status = end(&t, 0);
    bool there = file_exists(out);
    if (!there && WIFSIGNALED(status))
        fail("recovery died");
    *notes = there ? notes_in("out.mid") : -1;
    free(out);
    return there;
}

static bool live_and_die(struct rng *r, int base, int *edits, bool *recovered)
{
    const char *const argv[] = {program, "--audio", "none", "song.jam", NULL};
    struct term t = start(argv);
    wait_for_screen(&t);
    type(&t, "5"); /* the strings, which are empty */
    settle(&t);
    struct life life = edit_until(&t, clock_s() + rng_uniform(r) * LONGEST);
    end(&t, SIGKILL);
    int saved = notes_in("song.jam"), notes = saved;
    *recovered = take_up(&notes);
    if (!*recovered)
        notes = saved;
    *edits += life.edits;
    int most = base + life.edits + life.in_flight;
    bool good = notes >= base + life.edits && notes <= most && saved >= base + life.saved && saved <= most;
    if (!good)
        fprintf(stderr, "killed: %d edits done, %d saved%s%s; %d notes to begin with, %d in the project, %d taken up\n",
                life.edits, life.saved, life.in_flight ? ", one under way" : "", life.saving ? ", saving" : "", base,
                saved, notes);
    return good;
}

static enum err remove_one(void *ctx, const char *path)
{
    (void)ctx;
    unlink(path);
    return ERR_OK;
}

int main(int argc, char **argv)
{
    int64_t count = 25, seed = 1;
    const char *named = getenv("JAMROLL");
    struct rng r;
    if ((argc > 1 && parse_int(argv[1], 1, 100000, &count) != ERR_OK) ||
        (argc > 2 && parse_int(argv[2], 0, INT64_MAX, &seed) != ERR_OK)) {
        fprintf(stderr, "usage: killed [COUNT [SEED]]\n");
        return 2;
    }
    if (!realpath(named ? named : "build/jamroll", program))
        fail("there is no program; JAMROLL names it");
    str_format(dir, sizeof dir, "/tmp/killed_%d", (int)getpid());
    if (file_mkdirs(dir) != ERR_OK)
        fail(err_text());
    setenv("HOME", dir, 1);
    setenv("XDG_STATE_HOME", dir, 1);
    setenv("XDG_CONFIG_HOME", dir, 1);
    setenv("XDG_DATA_HOME", dir, 1);
    setenv("TERM", "xterm-256color", 1);
    rng_init(&r, (uint64_t)seed, 0);
    int edits = 0, recovered = 0;
    bool good = true;
    for (int64_t i = 0; i < count && good; i++) {
        bool again = false;
        run("track 2\\nnote\\nbars 4\\nsave song.jam\\n");
        good = live_and_die(&r, notes_in("song.jam"), &edits, &again);
        recovered += again;
        if (!good)
            fprintf(stderr, "killed: life %d of seed %d\n", (int)i + 1, (int)seed);
    }
    printf("killed %d times over %d edits, %d lives taken up again\n", (int)count, edits, recovered);
    if (file_walk(dir, remove_one, NULL) != ERR_OK)
        good = false;
    return good && edits > count && recovered > 0 ? 0 : 1;
}
