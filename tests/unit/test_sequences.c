/* Random sequences of commands drawn from the whole table of actions, with arguments made from what its rows say of
 * them, and a band that answers with random music: nothing crashes, kept cells hold, undone to the start the music
 * is what it was, and redone it is what it became. A new row is covered without a word here. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "app/state.h"
#include "command.h"
#include "mem.h"
#include "rng.h"

enum { SEQUENCES = 1000, COMMANDS = 40 };

/* ---- a band that plays anything, anywhere, in any order and not always ---- */

struct band { struct rng *rng; struct song *song; int job, n_takes, given; uint64_t seed; };

static enum err submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    struct band *b = ctx;
    (void)model;
    TRY(request_check(rq));
    song_free(b->song);
    b->song = song_dup(rq->song);
    b->n_takes = rq->n_takes;
    b->seed = rq->seed;
    b->given = 0;
    *job = ++b->job;
    return ERR_OK;
}

static void cancel(void *ctx, int job)
{
    (void)ctx, (void)job;
}

static void send(struct desk *d, struct event ev)
{
    desk_event(d, &ev);
    event_fini(&ev);
}

static void answer(struct desk *d, struct band *b)
{
    struct rng *r = b->rng;
    if (d->job != b->job || rng_below(r, 3) == 0)
        return;
    if (b->given == b->n_takes || rng_below(r, 12) == 0) {
        static const enum event_kind ends[] = {EVENT_DONE, EVENT_CANCELLED, EVENT_FAILED};
        send(d, (struct event){.kind = ends[rng_below(r, 3)], .job = b->job, .index = b->given});
        return;
    }
    struct take *t = xcalloc(1, sizeof *t);
    t->song = song_dup(b->song);
    t->seed = b->seed;
    t->mix = rng_uniform(r);
    t->empty = rng_below(r, 5) == 0;
    for (int i = 0; i < 20; i++) {
        struct track *track = &t->song->tracks[rng_below(r, N_ROLES)];
        int32_t tick = (int32_t)rng_below(r, 8 * 1920);
        if (rng_below(r, 2))
            track_add(track, (struct note){tick, 1 + (int32_t)rng_below(r, 3000), (uint8_t)rng_below(r, 128), 90});
        else
            track_clear(track, tick, tick + 1920);
    }
    send(d, (struct event){.kind = EVENT_TAKE, .job = b->job, .index = b->given++, .take = t});
}

/* ---- commands ---- */

/* Opening brings other music, with a history of its own. */
static bool is_left_out(const struct action *a)
{
    return str_same(a->name, "open") || str_same(a->name, "import");
}

/* One of the words between bars; "a-b" or "a..b" is a number between, "+N" a step, NAME something of that name. */
static void make_word(struct rng *r, const struct action *a, const char *list, char out[64])
{
    static const char *const names[] = {"x", "A", "1", "7", "0.5", "bass", "<F6>", "C4", "1/8", "50%", "4"};
    char copy[256], *rest = copy, *word = copy, *item;
    int n = 0, lo, hi;
    str_copy(copy, sizeof copy, list);
    while ((item = str_split(&rest, '|')))
        word = rng_below(r, (uint32_t)++n) == 0 ? item : word;
    word += *word == '[';
    word[strcspn(word, "]")] = '\0';
    if (a->complete == COMPLETE_TRACK && rng_below(r, 2))
        str_copy(out, 64, role_name(rng_below(r, N_ROLES)));
    else if (a->complete == COMPLETE_KEY && rng_below(r, 2))
        str_copy(out, 64, rng_below(r, 2) ? "Am" : "Eb");
    else if (sscanf(word, "%d-%d", &lo, &hi) == 2 && hi > lo)
        str_format(out, 64, "%d", lo + (int)rng_below(r, (uint32_t)(hi - lo + 1)));
    else if ((*word == '+' || *word == '-') && (word[1] == 'N' || word[1] == 'n'))
        str_format(out, 64, "%c%u", *word, 1 + rng_below(r, 12));
    else if (str_same(word, "N") || str_same(word, "BPM"))
        str_format(out, 64, "%u", rng_below(r, 10) ? 1 + rng_below(r, 12) : 1 + rng_below(r, 200));
    else if (*word >= 'A' && *word <= 'Z' && word[1] >= 'A' && word[1] <= 'Z')
        str_copy(out, 64, names[rng_below(r, COUNT_OF(names))]);
    else
        str_copy(out, 64, word);
}

static void make_line(struct rng *r, const struct action *a, struct str *out)
{
    int n = a->min_args + (int)rng_below(r, (uint32_t)(a->max_args - a->min_args + 1));
    str_clear(out);
    str_add(out, a->name);
    for (int i = 0; i < n && i < 4; i++) {
        char word[64];
        const char *from = a->words && rng_below(r, 3) ? a->words : a->args;
        make_word(r, a, from, word);
        str_addf(out, " %s", word);
    }
}

/* ---- what must hold ---- */

static void leave_kept(struct song *s, int n_bars, const uint8_t keep[N_ROLES][SESSION_MAX_BARS])
{
    for (int r = 0; r < N_ROLES; r++) {
        track_clear(&s->tracks[r], song_bar_tick(s, n_bars), SONG_MAX_TICKS);
        for (int bar = 0; bar < n_bars; bar++)
            if (!keep[r][bar])
                track_clear(&s->tracks[r], song_bar_tick(s, bar), song_bar_tick(s, bar + 1));
    }
}

/* Of the cells that were kept and still are. */
static void check_kept(struct desk *d, struct song *before, uint8_t keep[N_ROLES][SESSION_MAX_BARS], const char *line)
{
    struct song *after = song_dup(session_song(d->session));
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < SESSION_MAX_BARS; bar++)
            keep[r][bar] &= session_sheet(d->session)->keep[r][bar];
    leave_kept(before, session_n_bars(d->session), keep);
    leave_kept(after, session_n_bars(d->session), keep);
    for (int r = 0; r < N_ROLES; r++) {
        const struct track *x = &before->tracks[r], *y = &after->tracks[r];
        bool same = x->n == y->n;
        for (size_t i = 0; same && i < x->n; i++)
            same = x->notes[i].tick == y->notes[i].tick && x->notes[i].dur == y->notes[i].dur &&
                   x->notes[i].pitch == y->notes[i].pitch && x->notes[i].vel == y->notes[i].vel;
        if (!same)
            fail_msg("%s changed a kept note", line);
    }
    song_free(after);
}

/* What the band and the tray do leaves kept cells alone. */
static void play(struct desk *d, struct band *b, const struct action *a, const char *line)
{
    static uint8_t keep[N_ROLES][SESSION_MAX_BARS];
    int here = session_here(d->session);
    struct song *before = song_dup(session_song(d->session));
    memcpy(keep, session_sheet(d->session)->keep, sizeof keep);
    if (command_run(d, line) != ERR_OK)
        desk_complain(d);
    answer(d, b);
    if ((a->group == GROUP_BAND || a->group == GROUP_TAKES) && here == session_here(d->session))
        check_kept(d, before, keep, line);
    song_free(before);
    d->want = WANT_NOTHING;
}

static void sequence(uint64_t seed, int ran[])
{
    struct rng r;
    struct desk d;
    struct band b = {.rng = &r};
    struct str line = {0};
    rng_init(&r, seed, 0);
    desk_init(&d);
    d.doors = (struct doors){.ctx = &b, .submit = submit, .cancel = cancel};
    for (int i = 0; i < 6; i++) /* something to work on, as a part of the first state */
        track_add(&session_song(d.session)->tracks[rng_below(&r, N_ROLES)],
                  (struct note){(int32_t)rng_below(&r, 7680), 300, (uint8_t)(40 + rng_below(&r, 30)), 90});
    struct state first = state_snapshot(&d.session->now);
    for (int i = 0; i < COMMANDS; i++) {
        size_t at = rng_below(&r, (uint32_t)n_actions);
        if (is_left_out(&actions[at]))
            continue;
        make_line(&r, &actions[at], &line);
        play(&d, &b, &actions[at], str_c(&line));
        ran[at]++;
    }
    struct state last = state_snapshot(&d.session->now);
    int n = session_n_undo(d.session);
    while (session_undo(d.session))
        ;
    if (!state_equal(&first, &d.session->now))
        fail_msg("sequence %u: undone, the music is not what it was", (unsigned)seed);
    for (int i = 0; i < n; i++)
        assert_true(session_redo(d.session));
    if (!state_equal(&last, &d.session->now))
        fail_msg("sequence %u: redone, the music is not what it became", (unsigned)seed);
    state_fini(&first);
    state_fini(&last);
    song_free(b.song);
    str_fini(&line);
    desk_fini(&d);
}

static void test_sequences(void **state)
{
    int *ran = xcalloc(n_actions, sizeof *ran);
    (void)state;
    for (uint64_t seed = 1; seed <= SEQUENCES; seed++)
        sequence(seed, ran);
    for (size_t i = 0; i < n_actions; i++)
        assert_true(ran[i] > 0 || is_left_out(&actions[i]));
    free(ran);
}

int main(void)
{
    char dir[] = "/tmp/jamroll-sequences-XXXXXX", clean[64];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sequences)};
    if (!mkdtemp(dir) || chdir(dir) != 0)
        return 1;
    setenv("HOME", dir, 1);
    setenv("XDG_STATE_HOME", dir, 1);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    str_format(clean, sizeof clean, "rm -rf %s", dir);
    return system(clean) != 0 ? 1 : failed;
}
