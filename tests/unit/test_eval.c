/* test_eval.c: evaluation with models whose answers are known: one that repeats a training phrase, one that
 * says nothing, one that invents. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include "engine/eval_parts.h"
#include "eval.h"
#include "folder.h"
#include "mem.h"
#include "model.h"
#include "phrase.h"
#include "rng.h"
#include "song.h"
#include "songs.h"

static char folder[64];
static struct dataset *data;

/* ---- a data set of two genres that differ in everything ---- */

static struct song *genre_song(int genre, uint64_t seed)
{
    static const uint8_t major[] = { 0, 2, 4, 5, 7, 9, 11 };
    struct song *s = song_new_band();
    struct rng r;
    rng_init(&r, seed, 0);
    for (int i = 0; i < 16 * 8; i++) {
        int32_t tick = i * (genre ? 240 : 480);
        uint8_t a = major[rng_below(&r, 7)], b = major[rng_below(&r, 7)];
        track_push(&s->tracks[ROLE_DRUMS], (struct note){ tick, 120, genre ? 42 : i % 2 ? 38 : 36, 100 });
        track_push(&s->tracks[ROLE_BASS], (struct note){ tick, genre ? 100 : 400, (uint8_t)(36 + a), 90 });
        track_push(&s->tracks[genre ? ROLE_GUITAR : ROLE_PIANO], (struct note){ tick, 200, (uint8_t)(60 + b), 80 });
    }
    for (int t = 0; t < N_ROLES; t++)
        track_tidy(&s->tracks[t]);
    return s;
}

/* So many songs of either genre under `dir` as a data set in songs.ds, a quarter of them held out. */
static struct dataset *build_data(const char *dir, int slow, int fast)
{
    const int n[2] = { slow, fast };
    char data_path[80];
    struct dataset_opts o;
    for (int g = 0; g < 2; g++)
        for (int i = 0; i < n[g]; i++) {
            char name[32];
            str_format(name, sizeof(name), "song%d.mid", i);
            songs_save(genre_song(g, (uint64_t)(g * 100 + i)), dir, g ? "fast" : "slow", name);
        }
    dataset_opts_init(&o);
    o.held_out = 0.25;
    str_format(data_path, sizeof(data_path), "%s/songs.ds", dir);
    return songs_data(dir, &o, data_path);
}

static int setup(void **state)
{
    (void)state;
    str_format(folder, sizeof(folder), "/tmp/test_eval_%d", (int)getpid());
    data = build_data(folder, 8, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dataset_close(data);
    folder_remove(folder);
    return 0;
}

/* ---- models ---- */

struct model { enum { PARROT, MUTE, INVENTOR, BROKEN, BASSIST, FOLLOWER } kind; long asked; };

static struct phrase training_phrase(size_t k)
{
    for (size_t i = 0; ; i = (i + 1) % dataset_n(data)) {
        struct phrase p = dataset_get(data, i);
        if (!p.held_out && k-- == 0)
            return p;
    }
}

/* Begin where a kept note begins, an octave from it. */
static void follow(const struct request *rq, struct pnote *n, uint32_t k)
{
    for (int r = ROLE_DRUMS + 1; r < N_ROLES; r++) {
        const struct track *t = &rq->song->tracks[r];
        if (t->n == 0)
            continue;
        n->start = (uint8_t)(t->notes[k % t->n].tick / 40);
        n->dur = 6;
        n->pitch = n->role == ROLE_DRUMS ? 36 : (uint8_t)(t->notes[k % t->n].pitch % 12 + 60);
    }
}

static enum err fake_run(struct model *m, const struct request *rq, const struct progress *p)
{
    m->asked += rq->n_takes;
    assert_int_equal(rq->n_bars, 4);
    assert_int_equal(rq->density[ROLE_BASS], -2);
    if (m->kind == BROKEN)
        return err_set(ERR_UNSUPPORTED, "broken");
    if (m->kind == BASSIST && !rq->keep[ROLE_BASS][0])
        return err_set(ERR_UNSUPPORTED, "plays around the bass alone");
    for (int i = 0; i < rq->n_takes; i++) {
        struct take t = { .song = song_dup(rq->song), .seed = rq->seed };
        struct rng r;
        rng_init(&r, rq->seed + (uint64_t)i, 0);
        struct phrase from = training_phrase(rng_below(&r, 20));
        for (uint32_t k = 0; k < from.n && m->kind != MUTE; k++) {
            struct pnote n = from.notes[k];
            if (rq->keep[n.role][0])
                continue;
            int up = m->kind == PARROT ? 3 : (int)rng_below(&r, 12); /* in another key it is the same bar */
            n.pitch = (uint8_t)(n.role == ROLE_DRUMS ? n.pitch : n.pitch + up);
            if (m->kind == FOLLOWER)
                follow(rq, &n, k);
            assert_int_equal(phrase_to_song(&n, 1, t.song, 0), ERR_OK);
        }
        p->on_take(p->ctx, i, &t);
    }
    return ERR_OK;
}

static int two_genres(const struct model *m)
{
    (void)m;
    return 2;
}

static const char *genre_name(const struct model *m, int i)
{
    (void)m;
    return i ? "fast" : "slow";
}

static const struct model_kind fake = {
    .name = "fake", .title = "Fake", .verbs = 1u << VERB_GENERATE | 1u << VERB_ACCOMPANY, .run = fake_run,
    .n_genres = two_genres, .genre = genre_name,
};

static struct eval *evaluate_against(struct model *m, bool training)
{
    struct eval_opts o;
    struct eval *e = NULL;
    eval_opts_init(&o);
    o.phrases = 4;
    o.training = training;
    enum err err = eval_run(&fake, m, data, &o, &e);
    if (err != ERR_OK)
        print_error("%s\n", err_text());
    assert_int_equal(err, ERR_OK);
    return e;
}

static struct eval *evaluate(struct model *m)
{
    return evaluate_against(m, false);
}

static void test_parrot(void **state)
{
    (void)state;
    struct model m = { .kind = PARROT };
    struct eval *e = evaluate(&m);
    assert_int_equal(e->n_rows, 3);
    const struct eval_pair *all = &e->rows[2].mode[EVAL_SCRATCH];
    assert_string_equal(e->rows[2].genre, "all");
    assert_int_equal(all->real.n, 8);
    assert_int_equal(all->made.n, 16);
    assert_true(eval_mean(all->made.memorised) == 100);
    assert_true(eval_mean(all->real.memorised) < 50);
    assert_true(eval_mean(all->made.memorised_track[ROLE_BASS]) == 100);
    assert_true(eval_mean(all->real.recognised) > 90);       /* the genres are easy */
    assert_true(e->classifier > 90 && e->chance == 50);
    assert_int_equal(all->made.empty, 0);
    const struct eval_pair *acc = &e->rows[2].mode[EVAL_ACCOMPANY];
    assert_int_equal(acc->real.n, 8 * 3);                    /* each of three sounding roles kept in turn */
    assert_int_equal(m.asked, 2 * (8 + 24));
    assert_true(eval_mean(acc->real.in_key) > 90);
    assert_true(eval_mean(acc->made.memorised) < 50);        /* beside a kept new track a bar is not a copy */
    assert_true(fabs(metrics_get(&all->made.metrics, METRIC_EB, ROLE_STRINGS) - 100) < 1e-9);
    eval_free(e);
}

/* What it learnt from as the music it stands beside: every bar of that is known. */
static void test_against_training(void **state)
{
    (void)state;
    struct model m = { .kind = PARROT };
    struct eval *e = evaluate_against(&m, true);
    struct str out;
    const struct eval_pair *all = &e->rows[2].mode[EVAL_SCRATCH];
    assert_int_equal(all->real.n, 8);
    assert_true(eval_mean(all->real.memorised) == 100);
    str_init(&out);
    eval_table(e, false, &out);
    assert_non_null(strstr(str_c(&out), "the training music comes first"));
    str_fini(&out);
    eval_free(e);
}

/* That of one of the two genres in the held-out phrases, of n. */
static int phrase_share(const struct dataset *d, bool slow, int n)
{
    int all = 0, own = 0;
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        all += p.held_out;
        own += p.held_out && (strcmp(dataset_genre(d, p.genre), "slow") == 0) == slow;
    }
    return (int)((double)own * n / all + 0.5);
}

/* Of the genre with twice as many songs, twice as many phrases, or as it has phrases; in all as many as when genres weigh
 * the same. */
static void test_weigh(void **state)
{
    (void)state;
    struct model m = { .kind = PARROT };
    struct eval_opts o;
    char dir[80];
    str_format(dir, sizeof(dir), "%s_more", folder);
    struct dataset *more = build_data(dir, 16, 8);
    eval_opts_init(&o);
    o.phrases = 6;
    for (int weigh = EVAL_GENRES; weigh <= EVAL_PHRASES; weigh++) {
        struct eval *e;
        o.weigh = (enum eval_weigh)weigh;
        assert_int_equal(eval_run(&fake, &m, more, &o, &e), ERR_OK);
        for (int g = 0; g < 2; g++) {
            bool slow = strcmp(e->rows[g].genre, "slow") == 0;
            int share = weigh == EVAL_GENRES ? 6 : weigh == EVAL_SONGS ? (slow ? 8 : 4) : phrase_share(more, slow, 12);
            assert_int_equal(e->rows[g].mode[EVAL_SCRATCH].real.n, share);
        }
        eval_free(e);
    }
    dataset_close(more);
    folder_remove(dir);
}

static void test_mute(void **state)
{
    (void)state;
    struct model m = { .kind = MUTE };
    struct eval *e = evaluate(&m);
    const struct eval_side *made = &e->rows[2].mode[EVAL_SCRATCH].made;
    assert_int_equal(made->empty, made->n);
    assert_true(isnan(eval_mean(made->memorised)));
    assert_true(metrics_get(&made->metrics, METRIC_EB, ROLE_DRUMS) == 100);
    assert_true(eval_mean(made->diversity) == 0);
    eval_free(e);
}

static void test_report(void **state)
{
    (void)state;
    struct model m = { .kind = INVENTOR };
    struct eval *e = evaluate(&m);
    struct str out;
    str_init(&out);
    assert_true(eval_mean(e->rows[2].mode[EVAL_SCRATCH].made.memorised) < 50);
    eval_table(e, true, &out);
    assert_non_null(strstr(str_c(&out), "scratch, slow: 4 phrases, 8 takes"));
    assert_non_null(strstr(str_c(&out), "accompany, all"));
    assert_non_null(strstr(str_c(&out), "memorised"));
    json_t *j = eval_json(e);
    json_t *isr = json_object_get(json_object_get(json_object_get(json_object_get(json_object_get(json_object_get(
        j, "scratch"), "all"), "made"), "tracks"), "Bass"), "ISR");
    assert_true(json_is_real(isr) && json_real_value(isr) > 0);
    json_decref(j);
    str_fini(&out);
    eval_free(e);
}

static void test_refused(void **state)
{
    (void)state;
    struct model m = { .kind = BROKEN };
    struct model_kind deaf = fake;
    struct eval_opts o;
    struct eval *e;
    atomic_bool cancel = true;
    eval_opts_init(&o);
    assert_int_equal(eval_run(&fake, &m, data, &o, &e), ERR_UNSUPPORTED);
    m.kind = MUTE;
    o.genre = "polka";
    assert_int_equal(eval_run(&fake, &m, data, &o, &e), ERR_EMPTY);
    o.genre = NULL;
    o.set = "elsewhere";
    assert_int_equal(eval_run(&fake, &m, data, &o, &e), ERR_EMPTY);
    o.set = NULL;
    o.takes = 0;
    assert_int_equal(eval_run(&fake, &m, data, &o, &e), ERR_RANGE);
    o.takes = 1;
    o.cancel = &cancel;
    assert_int_equal(eval_run(&fake, &m, data, &o, &e), ERR_CANCELLED);
    deaf.verbs = 1u << VERB_GENERATE;
    assert_int_equal(eval_run(&deaf, &m, data, &o, &e), ERR_UNSUPPORTED);
}

static void test_condition(void **state)
{
    (void)state;
    struct model m = { .kind = FOLLOWER };
    struct eval *e = evaluate(&m);
    const struct eval_side *follows = &e->rows[2].kept[ROLE_BASS].made, *real = &e->rows[2].kept[ROLE_BASS].real;
    assert_true(eval_mean(follows->together[0]) == 100);
    assert_true(eval_mean(follows->tonal[0]) < eval_mean(follows->tonal[1]) - 0.3);
    assert_true(fabs(eval_mean(real->tonal[0]) - eval_mean(real->tonal[1])) < 0.2); /* these songs are random notes */
    assert_true(isnan(eval_mean(e->rows[2].kept[ROLE_DRUMS].made.tonal[0])));
    eval_free(e);
}

/* One that knows one condition only is measured on that one. */
static void test_one_condition(void **state)
{
    (void)state;
    struct model m = { .kind = BASSIST };
    struct eval *e = evaluate(&m);
    assert_false(e->mode[EVAL_SCRATCH]);
    assert_true(e->mode[EVAL_ACCOMPANY]);
    assert_int_equal(e->rows[2].mode[EVAL_ACCOMPANY].made.n, 16);
    assert_int_equal(e->rows[2].kept[ROLE_BASS].made.n, 16);
    assert_int_equal(e->rows[2].kept[ROLE_PIANO].made.n, 0);
    eval_free(e);
}

static void test_stuck(void **state)
{
    (void)state;
    const struct pnote held[] = { { ROLE_BASS, 40, 90, 0, 12 }, { ROLE_BASS, 40, 90, 24, 12 } };
    const struct pnote chord[] = { { ROLE_BASS, 40, 90, 0, 12 }, { ROLE_PIANO, 64, 90, 0, 12 } };
    const struct pnote moves[] = { { ROLE_BASS, 40, 90, 0, 12 }, { ROLE_BASS, 41, 90, 12, 12 } };
    assert_true(is_stuck(held, 2, 0x1f));
    assert_true(is_stuck(chord, 2, 0x1f));
    assert_false(is_stuck(moves, 2, 0x1f));
    assert_false(is_stuck(moves, 2, 1u << ROLE_PIANO)); /* silent is another thing */
}

/* Known for diagonal covariances: sums of squared differences of means and of deviations. */
static void test_frechet(void **state)
{
    (void)state;
    struct cloud *a = xcalloc(1, sizeof(*a)), *b = xcalloc(1, sizeof(*b)), *turned = xcalloc(1, sizeof(*turned));
    double want = 0;
    for (int i = 0; i < EAR_HIDDEN; i++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            double x[EAR_HIDDEN] = { 0 }, y[EAR_HIDDEN] = { 0 }, z[EAR_HIDDEN] = { 0 };
            x[i] = sign * (1.0 + i);
            y[i] = sign * 3.0;
            z[i] = z[(i + 1) % EAR_HIDDEN] = sign * 1.0; /* not diagonal */
            for (int k = 0; k < EAR_HIDDEN; k++)
                y[k] += k % 2;
            cloud_add(a, x);
            cloud_add(b, y);
            cloud_add(turned, z);
        }
        double n = 2 * EAR_HIDDEN - 1, apart = sqrt(2 / n) * (1.0 + i) - sqrt(2 / n) * 3;
        want += i % 2 + apart * apart;
    }
    assert_true(fabs(cloud_frechet(a, b) - want) < 1e-6 * want);
    assert_true(cloud_frechet(a, a) < 1e-6);
    assert_true(cloud_frechet(turned, turned) < 1e-6);
    assert_true(fabs(cloud_frechet(a, turned) - cloud_frechet(turned, a)) < 1e-6);
    assert_true(cloud_frechet(a, turned) > 1);
    memset(b, 0, sizeof(*b));
    assert_true(isnan(cloud_frechet(a, b)));
    free(a);
    free(b);
    free(turned);
}

static void test_side_by_side(void **state)
{
    (void)state;
    struct model parrot = { .kind = PARROT }, mute = { .kind = MUTE };
    struct eval *e[] = { evaluate(&parrot), evaluate(&mute) };
    struct eval_score good, bad;
    struct str out;
    str_init(&out);
    eval_compare((const struct eval *const *)e, (const char *const[]){ "parrot", "mute" }, 2, &out);
    assert_non_null(strstr(str_c(&out), "parrot"));
    assert_non_null(strstr(str_c(&out), "memorised"));
    assert_true(e[0]->frechet[EVAL_SCRATCH].made < e[1]->frechet[EVAL_SCRATCH].made);
    str_clear(&out);
    assert_int_equal(eval_beside(e[0], "musegan", &out, &good), ERR_OK);
    assert_non_null(strstr(str_c(&out), "TD Bass-Guitar"));
    assert_int_equal(eval_beside(e[1], "musegan", &out, &bad), ERR_OK);
    assert_true(good.cells > 5 && good.nearer > bad.nearer); /* training phrases are like held-out ones, silence is not */
    assert_true(bad.nearer * 3 < bad.cells);
    assert_int_equal(eval_beside(e[0], "beatgan", &out, &good), ERR_OK);
    assert_int_equal(eval_beside(e[0], "binary", &out, &good), ERR_OK);
    assert_int_equal(eval_beside(e[0], "kazoo", &out, &good), ERR_MISSING);
    str_fini(&out);
    eval_free(e[0]);
    eval_free(e[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parrot), cmocka_unit_test(test_against_training), cmocka_unit_test(test_weigh),
        cmocka_unit_test(test_mute), cmocka_unit_test(test_report),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_condition), cmocka_unit_test(test_one_condition),
        cmocka_unit_test(test_stuck), cmocka_unit_test(test_frechet), cmocka_unit_test(test_side_by_side),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
