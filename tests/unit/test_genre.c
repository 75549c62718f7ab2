/* test_genre.c: another genre on the desk: what is asked for, from which music, and what the slider does. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "command.h"
#include "mem.h"
#include "song.h"

/* What the door was asked last; its song as it was then. */
static struct asked { struct request rq; struct song *song; char model[64]; int n; } asked;

static enum err do_submit(void *ctx, const char *model, const struct request *rq, int *job)
{
    (void)ctx;
    song_free(asked.song);
    asked.rq = *rq;
    asked.song = song_dup(rq->song);
    str_copy(asked.model, sizeof asked.model, model ? model : "");
    *job = ++asked.n;
    return ERR_OK;
}

static struct model_info weights(const char *name, unsigned verbs, const char *a, const char *b)
{
    struct model_info m = {.name = xstrdup(name), .path = xstrdup(name), .family = xstrdup(name), .licence = xstrdup("MIT"),
                           .verbs = verbs, .n_genres = 2};
    m.genres = xcalloc(2, sizeof *m.genres);
    m.genres[0] = xstrdup(a);
    m.genres[1] = xstrdup(b);
    return m;
}

static struct desk open_desk(bool pairs)
{
    struct desk d;
    desk_init(&d);
    d.doors = (struct doors){.submit = do_submit};
    struct model_info *m = xcalloc(3, sizeof *m);
    m[0] = weights("band", 1u << VERB_ACCOMPANY | 1u << VERB_GENERATE, "rock", "funk");
    m[1] = weights("jp", 1u << VERB_TRANSFER, "jazz", "pop");
    m[2] = weights("jc", 1u << VERB_TRANSFER, "jazz", "classical");
    desk_models(&d, m, 3);
    d.n_models = pairs ? 3 : 1;
    struct song *s = session_song(d.session);
    for (int r = ROLE_DRUMS; r <= ROLE_BASS; r++)
        for (int i = 0; i < 32; i++)
            track_push(&s->tracks[r], (struct note){i * 240, 200, (uint8_t)(36 + 8 * r), 80});
    session_set_bars(d.session, 4);
    return d;
}

static void close_desk(struct desk *d)
{
    d->n_models = 3; /* all that were given are freed */
    desk_fini(d);
    song_free(asked.song);
    asked = (struct asked){0};
}

static void must(struct desk *d, const char *line)
{
    if (command_run(d, line) != ERR_OK)
        fail_msg("%s: %s", line, err_text());
}

/* The model answers: every pitched note up by as many semitones as the take's seed and a tenth of its strength say. */
static void answer(struct desk *d)
{
    for (int i = 0; i < asked.rq.n_takes; i++) {
        struct take *t = xcalloc(1, sizeof *t);
        t->song = song_dup(asked.song);
        t->seed = asked.rq.seed + (uint64_t)i;
        str_format(t->params, sizeof t->params, "genre=%s strength=%.2f heard=+0,0", asked.rq.genre_to, asked.rq.strength);
        for (int r = ROLE_PIANO; r < N_ROLES; r++)
            for (size_t k = 0; k < t->song->tracks[r].n; k++)
                t->song->tracks[r].notes[k].pitch += (uint8_t)(t->seed + (uint64_t)lround(asked.rq.strength * 10));
        struct event ev = {.kind = EVENT_TAKE, .job = d->job, .index = i, .take = t};
        desk_event(d, &ev);
    }
    struct event done = {.kind = EVENT_DONE, .job = d->job, .index = asked.rq.n_takes};
    desk_event(d, &done);
}

static int piano(const struct desk *d)
{
    return session_song(d->session)->tracks[ROLE_PIANO].notes[0].pitch;
}

static void test_request(void **state)
{
    (void)state;
    struct desk none = open_desk(false), d = open_desk(true);
    assert_int_equal(command_run(&none, "transfer jazz"), ERR_MISSING);
    close_desk(&none);
    assert_int_equal(command_run(&d, "transfer polka"), ERR_MISSING);
    assert_non_null(strstr(err_text(), "there are: jazz, pop, classical"));
    assert_int_equal(command_run(&d, "transfer rock"), ERR_MISSING); /* of the band, which does not transfer */
    assert_int_equal(command_run(&d, "transfer jazz loudly"), ERR_FORMAT);
    assert_int_equal(command_run(&d, "transfer jazz 1.5"), ERR_FORMAT);
    assert_int_equal(asked.n, 0);
    must(&d, "batch 4");
    must(&d, "model band");
    d.track = ROLE_GUITAR;
    must(&d, "keep");
    must(&d, "mute bass");
    must(&d, "transfer jazz 0.7 lock from pop");
    const struct request *rq = &asked.rq;
    assert_int_equal(rq->verb, VERB_TRANSFER);
    assert_string_equal(rq->genre_to, "jazz");
    assert_string_equal(rq->genre_from, "pop");
    assert_true(fabs(rq->strength - 0.7) < 1e-9 && rq->lock_melody && !rq->and_back);
    assert_true(rq->seed == 0 && rq->n_takes == 4 && rq->bar0 == 0 && rq->n_bars == 4);
    assert_true(rq->keep[ROLE_DRUMS][0] && rq->keep[ROLE_GUITAR][3] && !rq->remake_drums && !rq->keep[ROLE_PIANO][0] && rq->silent[ROLE_BASS]);
    assert_string_equal(asked.model, ""); /* the band was chosen, and cannot: the best is asked */
    assert_int_equal(command_run(&d, "transfer pop"), ERR_BUSY);
    answer(&d);
    must(&d, "model jp");
    must(&d, "transfer pop free remake back");
    assert_string_equal(asked.model, "jp");
    assert_string_equal(rq->genre_from, "");
    assert_true(rq->and_back && !rq->lock_melody && fabs(rq->strength - 0.7) < 1e-9);
    assert_true(rq->remake_drums && !rq->keep[ROLE_DRUMS][0] && rq->keep[ROLE_GUITAR][0]);
    close_desk(&d);
}

static void test_slider(void **state)
{
    (void)state;
    struct desk d = open_desk(true);
    int was = piano(&d);
    must(&d, "batch 2");
    assert_true(transfer_slider(&d) < 0);
    must(&d, "transfer jazz 0.5");
    answer(&d);
    assert_int_equal(piano(&d), was + 5);
    assert_true(fabs(transfer_slider(&d) - 0.5) < 1e-9);
    must(&d, "mix +");
    assert_int_equal(asked.n, 2);
    assert_true(fabs(asked.rq.strength - 0.6) < 1e-9 && asked.rq.n_takes == 1 && asked.rq.seed == 0);
    assert_int_equal(asked.song->tracks[ROLE_PIANO].notes[0].pitch, was); /* of what was, not of the take */
    answer(&d);
    assert_int_equal(piano(&d), was + 6);
    must(&d, "mix -");
    assert_int_equal(asked.n, 2); /* that take is there */
    assert_int_equal(piano(&d), was + 5);
    must(&d, "take 2");           /* another hearing has steps of its own */
    must(&d, "mix -");
    assert_true(asked.n == 3 && asked.rq.seed == 1);
    answer(&d);
    assert_int_equal(piano(&d), was + 4 + 1);
    must(&d, "again");
    assert_true(asked.n == 4 && asked.rq.seed == 2 && asked.rq.n_takes == 2);
    assert_int_equal(asked.song->tracks[ROLE_PIANO].notes[0].pitch, was);
    answer(&d);
    assert_int_equal(piano(&d), was + 4 + 2);
    must(&d, "transfer pop 0.1"); /* another genre: of what sounds now */
    assert_int_equal(asked.song->tracks[ROLE_PIANO].notes[0].pitch, was + 6);
    answer(&d);
    must(&d, "take 0");
    assert_true(transfer_slider(&d) < 0);
    assert_int_equal(piano(&d), was + 6);
    while (session_undo(d.session))
        ;
    assert_int_equal(piano(&d), was);
    close_desk(&d);
}

static void test_settings(void **state)
{
    (void)state;
    struct desk d = open_desk(true);
    struct session *other = session_new();
    must(&d, "strength 0.3");
    must(&d, "set melody lock");
    assert_int_equal(command_run(&d, "strength 2"), ERR_RANGE);
    assert_int_equal(session_save_copy(d.session, "/tmp/test_genre.jam"), ERR_OK);
    assert_int_equal(session_open(other, "/tmp/test_genre.jam", NULL), ERR_OK);
    assert_true(fabs(session_settings(other)->strength - 0.3) < 1e-9 && session_settings(other)->lock_melody);
    session_free(other);
    remove("/tmp/test_genre.jam");
    struct words w = {0};
    size_t from;
    command_complete(&d, "transfer po", &w, &from);
    assert_int_equal(w.n, 1);
    assert_string_equal(w.at[0], "pop");
    words_fini(&w);
    close_desk(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request), cmocka_unit_test(test_slider), cmocka_unit_test(test_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
