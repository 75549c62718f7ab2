/* eval.c: the comparison itself. Every phrase that is chosen becomes one request a mode (and, when
 * accompanying, one for each role it has); what comes back is measured over the same tracks, against the same
 * key, as the phrase it stands for, so that both sides of a pair count the same things. */
#include "eval.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "clock.h"
#include "eval_parts.h"
#include "mem.h"
#include "model.h"
#include "rng.h"
#include "roll.h"
#include "song.h"
#include "theory.h"
#include "verb.h"

enum { LOW = 24, N_PITCHES = 84, MIN_KEY_NOTES = 8, MAX_TAKES = 64, ALL = (1 << N_ROLES) - 1 };

/* A phrase that owns its notes. */
struct notes { struct pnote *p; uint32_t n; };

struct evaluation {
    const struct model_kind *kind;
    struct model *model;
    const struct dataset *data;
    const struct eval_opts *o;
    struct eval *out;
    struct memory *memory;
    struct ear *ear;
    struct cloud *real, *made[N_EVAL_MODES], *songs[N_EVAL_MODES];
    struct roll roll;
    double model_seconds;
    long n_takes, n_requests, done;
    bool refused[N_ROLES + 1];  /* what the model cannot do: from scratch, around role - 1 */
    char refusal[256];
};

/* The chosen phrases, genre by genre, and the one that is at hand. */
struct lot { const size_t *chosen; size_t n, at; bool first; /* of its genre */ };

/* One request on its way: what was asked, and the takes that came back. */
struct question {
    struct evaluation *e;
    struct request rq;
    unsigned asked;             /* tracks: bit 1 << role */
    struct key key;             /* the key that in-key and ISR go by */
    struct notes take[MAX_TAKES];
    enum err err;
};

const char *eval_mode_name(enum eval_mode m)
{
    return m == EVAL_SCRATCH ? "scratch" : "accompany";
}

void eval_opts_init(struct eval_opts *o)
{
    *o = (struct eval_opts){ .phrases = 16, .takes = 2, .mode = { true, true }, .temperature = 1.0, .top_p = 0.99,
                             .seed = 1 };
}

double eval_mean(struct eval_mean m)
{
    return m.weight > 0 ? m.sum / m.weight : NAN;
}

/* ---- measuring one phrase ---- */

static void add(struct eval_mean *m, double value)
{
    m->sum += value;
    m->weight += 1;
}

static unsigned roles_of(const struct pnote *p, uint32_t n)
{
    unsigned set = 0;
    for (uint32_t i = 0; i < n; i++)
        set |= 1u << p[i].role;
    return set;
}

static void add_in_key(struct eval_side *s, const struct notes *p, unsigned tracks, struct key key)
{
    unsigned scale = key_scale(key);
    for (uint32_t i = 0; i < p->n && key.tonic >= 0; i++)
        if (p->p[i].role != ROLE_DRUMS && tracks >> p->p[i].role & 1)
            add(&s->in_key, scale >> p->p[i].pitch % 12 & 1 ? 100 : 0);
}

static int note_order(const void *x, const void *y)
{
    return memcmp(x, y, 3); /* role, pitch, start: as note_keys lays them out */
}

/* The notes of some tracks as sorted (role, pitch, start). */
static uint32_t note_keys(const struct notes *p, unsigned tracks, uint8_t (*out)[3])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->n; i++)
        if (tracks >> p->p[i].role & 1) {
            const uint8_t key[3] = { p->p[i].role, p->p[i].pitch, p->p[i].start };
            memcpy(out[n++], key, 3);
        }
    qsort(out, n, 3, note_order);
    return n;
}

/* How little two phrases share, in percent: 100 when no note is in both. */
static double distance(const struct notes *a, const struct notes *b, unsigned tracks)
{
    uint8_t (*x)[3] = xcalloc(a->n + 1, 3), (*y)[3] = xcalloc(b->n + 1, 3);
    uint32_t n = note_keys(a, tracks, x), m = note_keys(b, tracks, y), both = 0;
    for (uint32_t i = 0, j = 0; i < n && j < m; ) {
        int order = memcmp(x[i], y[j], 3);
        both += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    free(x);
    free(y);
    return n + m > both ? 100.0 * (1 - (double)both / (n + m - both)) : 0;
}

static void measure(struct evaluation *e, struct eval_side *s, const struct notes *p, unsigned tracks, struct key key,
                    int genre)
{
    s->n++;
    s->empty += (roles_of(p->p, p->n) & tracks) == 0;
    s->stuck += is_stuck(p->p, p->n, tracks);
    phrase_to_roll(p->p, p->n, &e->roll);
    metrics_add_tracks(&s->metrics, &e->roll, key_scale(key), tracks);
    for (int f = 0; f < N_FORMS; f++)
        metrics_add_published(&s->published[f], &e->roll, (enum metric_form)f, tracks);
    memory_look(e->memory, p->p, p->n, tracks, &s->memorised, s->memorised_track);
    if (p->n > 0)
        add(&s->recognised, ear_genre(e->ear, p->p, p->n) == genre ? 100 : 0);
}

/* ---- asking ---- */

static void on_take(void *ctx, int index, struct take *take)
{
    struct question *q = ctx;
    if (index >= 0 && index < MAX_TAKES && q->err == ERR_OK) {
        free(q->take[index].p);
        q->take[index] = (struct notes){ NULL, 0 };
        q->err = phrase_from_song(take->song, 0, &q->take[index].p, &q->take[index].n);
    }
    take_fini(take);
}

static int model_genre(const struct evaluation *e, const char *name)
{
    for (int i = 0; e->kind->genre && i < e->kind->n_genres(e->model); i++)
        if (str_same(e->kind->genre(e->model, i), name))
            return i;
    return -1;
}

/* Key of the kept notes when they are enough to tell, else of the phrase. */
static struct key key_of(const struct phrase *p, const struct notes *kept)
{
    uint32_t pitched = 0;
    for (uint32_t i = 0; i < kept->n; i++)
        pitched += kept->p[i].role != ROLE_DRUMS;
    if (pitched >= MIN_KEY_NOTES)
        return phrase_key(kept->p, kept->n);
    return phrase_told_key(p);
}

static struct notes notes_of(const struct phrase *p, unsigned tracks)
{
    struct notes out = { xcalloc(p->n + 1, sizeof(*out.p)), 0 };
    for (uint32_t i = 0; i < p->n; i++)
        if (tracks >> p->notes[i].role & 1)
            out.p[out.n++] = p->notes[i];
    return out;
}

static enum err ask(struct question *q, const struct notes *kept, uint64_t seed, const char *genre)
{
    struct evaluation *e = q->e;
    struct progress progress = { .cancel = e->o->cancel, .on_take = on_take, .ctx = q };
    struct song *song = song_new_band();
    enum err err = phrase_to_song(kept->p, kept->n, song, 0);

    request_init(&q->rq, kept->n ? VERB_ACCOMPANY : VERB_GENERATE, song);
    q->rq.n_bars = PHRASE_BARS;
    q->rq.genre = model_genre(e, genre);
    q->rq.temperature = e->o->temperature;
    q->rq.top_p = e->o->top_p;
    q->rq.seed = seed;
    q->rq.n_takes = e->o->takes;
    q->rq.key = kept->n ? (struct key){ -1, false } : q->key;
    for (int r = 0; r < N_ROLES; r++) {
        q->rq.density[r] = -2; /* the model's own idea, silence included, as in the data */
        memset(q->rq.keep[r], !(q->asked >> r & 1), PHRASE_BARS);
    }
    double start = clock_s();
    if (err == ERR_OK)
        err = e->kind->run(e->model, &q->rq, &progress);
    e->model_seconds += clock_s() - start;
    e->n_takes += err == ERR_OK ? e->o->takes : 0;
    song_free(song);
    return err != ERR_OK ? err : q->err;
}

static bool same_kind(const struct phrase *a, const struct phrase *b)
{
    return !a->held_out && a->genre == b->genre && a->set == b->set;
}

/* As many training phrases of the same genre and folder as there are takes, drawn at random. */
static int draw_songs(const struct evaluation *e, const struct phrase *p, uint64_t seed, struct notes out[MAX_TAKES])
{
    const struct dataset *d = e->data;
    size_t *like = xcalloc(dataset_n(d) + 1, sizeof(*like)), n = 0;
    struct rng r;
    int k = 0;

    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase other = dataset_get(d, i);
        if (same_kind(&other, p))
            like[n++] = i;
    }
    rng_init(&r, seed, 0);
    for (; k < e->o->takes && n > 0; k++) {
        struct phrase other = dataset_get(d, like[rng_below(&r, (uint32_t)n)]);
        out[k] = notes_of(&other, ALL);
    }
    free(like);
    return k;
}

static void hear(const struct evaluation *e, struct cloud *c, const struct notes *p)
{
    double point[EAR_HIDDEN];
    ear_hear(e->ear, p->p, p->n, point);
    cloud_add(c, point);
}

/* What real songs of the same kind would have been heard as. */
static void hear_songs(struct evaluation *e, enum eval_mode mode, const struct phrase *p, uint64_t seed)
{
    struct notes songs[MAX_TAKES];
    int n = draw_songs(e, p, rng_hash(seed, 0x736f), songs);
    for (int i = 0; i < n; i++) {
        hear(e, e->songs[mode], &songs[i]);
        free(songs[i].p);
    }
}

/* The role's notes in the next other song that has it; none when there is no other. */
static struct notes partner(const struct evaluation *e, const struct lot *l, int role)
{
    struct phrase p = dataset_get(e->data, l->chosen[l->at]);
    for (size_t k = 1; k < l->n; k++) {
        struct phrase other = dataset_get(e->data, l->chosen[(l->at + k) % l->n]);
        if (other.song != p.song && roles_of(other.notes, other.n) >> role & 1)
            return notes_of(&other, 1u << role);
    }
    return (struct notes){ NULL, 0 };
}

static void measure_condition(struct eval_side *s, const struct notes *kept, const struct notes *other,
                              const struct notes *made, int role)
{
    if (other->n == 0)
        return;
    condition_measure(s, kept->p, kept->n, made->p, made->n, (enum role)role, true);
    condition_measure(s, other->p, other->n, made->p, made->n, (enum role)role, false);
}

static void measure_real(struct question *q, struct eval_side *real, const struct phrase *p, const struct notes *whole,
                         const struct lot *l, bool around_seed)
{
    if (around_seed)
        add_in_key(real, whole, q->asked, q->key);
    measure(q->e, real, whole, q->asked, q->key, p->genre);
    if (!l->first) {
        struct phrase before = dataset_get(q->e->data, l->chosen[l->at - 1]);
        struct notes other = notes_of(&before, ALL);
        add(&real->diversity, distance(whole, &other, q->asked));
        free(other.p);
    }
}

static void measure_takes(struct question *q, struct eval_side *made, enum eval_mode mode, const struct phrase *p,
                          bool around_seed)
{
    for (int i = 0; i < q->e->o->takes; i++) {
        if (around_seed)
            add_in_key(made, &q->take[i], q->asked, q->key);
        measure(q->e, made, &q->take[i], q->asked, q->key, p->genre);
        hear(q->e, q->e->made[mode], &q->take[i]);
        for (int j = 0; j < i; j++)
            add(&made->diversity, distance(&q->take[i], &q->take[j], q->asked));
    }
}

/* A request that this model does not answer is not put again. */
static enum err refuse(struct evaluation *e, int keep, enum err err)
{
    if (err != ERR_UNSUPPORTED)
        return err;
    e->refused[keep + 1] = true;
    str_copy(e->refusal, sizeof(e->refusal), err_text());
    return ERR_OK;
}

/* Put one request to the model (role `keep` kept, -1 for none) and measure both sides. */
static enum err compare(struct evaluation *e, struct eval_row *row, const struct lot *l, int keep, uint64_t seed)
{
    struct phrase p = dataset_get(e->data, l->chosen[l->at]);
    struct question q = { .e = e, .asked = keep < 0 ? ALL : ALL & ~(1u << keep), .err = ERR_OK };
    struct notes kept = notes_of(&p, ALL & ~q.asked), whole = notes_of(&p, ALL), other = { NULL, 0 };
    enum eval_mode mode = keep < 0 ? EVAL_SCRATCH : EVAL_ACCOMPANY;
    struct eval_pair *pair = keep < 0 ? &row->mode[mode] : &row->kept[keep];
    bool around_seed = keep > ROLE_DRUMS;

    q.key = key_of(&p, &kept);
    enum err err = ERR_OK;
    if (e->o->yardstick)
        draw_songs(e, &p, seed, q.take);
    else
        err = ask(&q, &kept, seed, dataset_genre(e->data, p.genre));
    if (err == ERR_OK) {
        measure_real(&q, &pair->real, &p, &whole, l, around_seed);
        measure_takes(&q, &pair->made, mode, &p, around_seed);
        hear_songs(e, mode, &p, seed);
        if (keep >= 0)
            other = partner(e, l, keep);
        for (int i = 0; i < e->o->takes && keep >= 0; i++)
            measure_condition(&pair->made, &kept, &other, &q.take[i], keep);
        if (keep >= 0)
            measure_condition(&pair->real, &kept, &other, &whole, keep);
    }
    for (int i = 0; i < MAX_TAKES; i++)
        free(q.take[i].p);
    free(other.p);
    free(kept.p);
    free(whole.p);
    return refuse(e, keep, err);
}

static enum err step(struct evaluation *e)
{
    e->done++;
    if (e->o->on_step)
        e->o->on_step(e->o->ctx, (double)e->done / (double)e->n_requests);
    if (e->o->cancel && atomic_load(e->o->cancel))
        return err_set(ERR_CANCELLED, "cancelled");
    return ERR_OK;
}

static enum err eval_phrase(struct evaluation *e, struct eval_row *row, const struct lot *l)
{
    struct phrase p = dataset_get(e->data, l->chosen[l->at]);
    unsigned roles = roles_of(p.notes, p.n);
    uint64_t seed = rng_hash(e->o->seed, l->chosen[l->at]);
    for (int r = -1; r < N_ROLES; r++) {
        if (!e->o->mode[r < 0 ? EVAL_SCRATCH : EVAL_ACCOMPANY] || (r >= 0 && !(roles >> r & 1)))
            continue;
        if (!e->refused[r + 1])
            TRY(compare(e, row, l, r, r < 0 ? seed : rng_hash(seed, (uint64_t)r + 1)));
        TRY(step(e));
    }
    return ERR_OK;
}

/* ---- choosing phrases ---- */

static bool in_set(const struct evaluation *e, const struct phrase *p)
{
    return !e->o->set || str_same(dataset_set(e->data, p->set), e->o->set);
}

/* Phrases to choose from: a genre's, of both sides of the data set or of one. */
enum side { SONGS, FILLER, BOTH };
struct choice { const struct evaluation *e; size_t genre; enum side side; };

static bool may_choose(const struct choice *c, const struct phrase *p)
{
    return p->held_out != c->e->o->training && p->genre == c->genre && in_set(c->e, p) &&
           (c->side == BOTH || (p->set > 0) == (c->side == FILLER));
}

static size_t count_choices(const struct choice *c)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset_n(c->e->data); i++) {
        struct phrase p = dataset_get(c->e->data, i);
        n += may_choose(c, &p);
    }
    return n;
}

static bool may_be_chosen(const struct evaluation *e, size_t genre)
{
    return !e->o->genre || str_same(e->o->genre, dataset_genre(e->data, genre));
}

/* Songs to choose from, or phrases, by genre; phrases lie in the order of their songs. */
static void count_by_genre(const struct evaluation *e, bool songs, size_t *n)
{
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < dataset_n(e->data); i++) {
        struct phrase p = dataset_get(e->data, i);
        if ((songs && p.song == last) || !may_be_chosen(e, p.genre) || !may_choose(&(struct choice){ e, p.genre, BOTH }, &p))
            continue;
        last = p.song;
        n[p.genre]++;
    }
}

/* How many phrases of each genre are wanted. */
static void share_phrases(const struct evaluation *e, size_t *want)
{
    size_t n_genres = dataset_n_genres(e->data), named = 0, all = 0, *n = xcalloc(n_genres + 1, sizeof(*n));
    count_by_genre(e, e->o->weigh != EVAL_PHRASES, n);
    for (size_t g = 0; g < n_genres; g++) {
        named += n[g] > 0;
        all += n[g];
    }
    for (size_t g = 0; g < n_genres; g++) {
        double part = e->o->weigh == EVAL_GENRES ? n[g] > 0 : (double)(named * n[g]) / (double)(all ? all : 1);
        want[g] = (size_t)lround(part * e->o->phrases);
    }
    free(n);
}

/* So many phrases, evenly over all there are: they lie in the order of their songs. */
static size_t choose_evenly(const struct choice *c, size_t want, size_t *out)
{
    size_t n = count_choices(c), count = 0, k = 0;
    for (size_t i = 0; i < dataset_n(c->e->data) && k < want; i++) {
        struct phrase p = dataset_get(c->e->data, i);
        if (!may_choose(c, &p))
            continue;
        if (n <= want || count == (k * n + n / 2) / want)
            out[k++] = i;
        count++;
    }
    return k;
}

/* Phrases of a genre. What a model learnt from holds songs and filler sets in the shares in which it was shown them. */
static size_t choose(const struct evaluation *e, size_t genre, size_t want, size_t *out)
{
    struct choice c = { e, genre, BOTH };
    if (!e->o->training || e->o->set || !e->kind->filler)
        return choose_evenly(&c, want, out);
    c.side = FILLER;
    size_t filler = count_choices(&c);
    c.side = SONGS;
    double share = phrase_songs_share(count_choices(&c), filler, e->kind->filler(e->model));
    size_t n = choose_evenly(&c, (size_t)lround(share * (double)want), out);
    c.side = FILLER;
    return n + choose_evenly(&c, want - n, out + n);
}

/* Chosen phrases from `at` on as long as they are of one genre. */
static enum err eval_genre(struct evaluation *e, const size_t *chosen, size_t n, size_t *at)
{
    struct eval_row *row = &e->out->rows[e->out->n_rows++];
    struct phrase p = dataset_get(e->data, chosen[*at]);
    uint16_t genre = p.genre;
    str_copy(row->genre, sizeof(row->genre), dataset_genre(e->data, genre));
    for (size_t first = *at; *at < n && (p = dataset_get(e->data, chosen[*at])).genre == genre; ++*at) {
        struct notes whole = notes_of(&p, ALL);
        hear(e, e->real, &whole);
        free(whole.p);
        TRY(eval_phrase(e, row, &(struct lot){ chosen, n, *at, *at == first }));
    }
    return ERR_OK;
}

/* How many requests all chosen phrases will make. */
static long count_requests(const struct evaluation *e, const size_t *chosen, size_t n)
{
    long requests = 0;
    for (size_t i = 0; i < n; i++) {
        struct phrase p = dataset_get(e->data, chosen[i]);
        requests += e->o->mode[EVAL_SCRATCH];
        requests += e->o->mode[EVAL_ACCOMPANY] ? __builtin_popcount(roles_of(p.notes, p.n)) : 0;
    }
    return requests;
}

/* ---- everything ---- */

/* Share of held-out phrases the judge is right about, every genre weighing the same. */
static double judge_score(const struct evaluation *e)
{
    size_t n_genres = dataset_n_genres(e->data);
    struct eval_mean *by_genre = xcalloc(n_genres + 1, sizeof(*by_genre)), all = { 0, 0 };
    for (size_t i = 0; i < dataset_n(e->data); i++) {
        struct phrase p = dataset_get(e->data, i);
        if (p.held_out && in_set(e, &p))
            add(&by_genre[p.genre], ear_genre(e->ear, p.notes, p.n) == p.genre ? 100 : 0);
    }
    for (size_t g = 0; g < n_genres; g++)
        if (by_genre[g].weight > 0)
            add(&all, eval_mean(by_genre[g]));
    free(by_genre);
    return eval_mean(all);
}

static void new_clouds(struct evaluation *e)
{
    e->real = xcalloc(1, sizeof(*e->real));
    for (int m = 0; m < N_EVAL_MODES; m++) {
        e->made[m] = xcalloc(1, sizeof(*e->made[m]));
        e->songs[m] = xcalloc(1, sizeof(*e->songs[m]));
    }
}

static void free_clouds(struct evaluation *e)
{
    free(e->real);
    for (int m = 0; m < N_EVAL_MODES; m++) {
        free(e->made[m]);
        free(e->songs[m]);
    }
}

/* What is known at the end only. A mode in which the model answered nothing was not measured. */
static void finish(struct evaluation *e)
{
    const struct eval_row *all = &e->out->rows[e->out->n_rows - 1];
    for (int m = 0; m < N_EVAL_MODES; m++) {
        e->out->mode[m] &= all->mode[m].made.n > 0;
        e->out->frechet[m].made = cloud_frechet(e->made[m], e->real);
        e->out->frechet[m].songs = cloud_frechet(e->songs[m], e->real);
    }
}

static enum err run(struct evaluation *e)
{
    size_t n_genres = dataset_n_genres(e->data), n = 0, room = 0, *want = xcalloc(n_genres + 1, sizeof(*want));
    share_phrases(e, want);
    for (size_t g = 0; g < n_genres; g++)
        room += want[g];
    size_t *chosen = xcalloc(room + 1, sizeof(*chosen));
    enum err err = ERR_OK;

    TRY_OUT(ear_new(e->data, e->o->seed, e->o->cancel, &e->ear));
    e->memory = memory_new(e->data);
    new_clouds(e);
    TRY_OUT(roll_new(N_ROLES, PHRASE_BARS, PHRASE_BAR_STEPS, LOW, N_PITCHES, &e->roll));
    for (size_t g = 0; g < n_genres; g++)
        n += choose(e, g, want[g], chosen + n);
    if (n == 0)
        TRY_OUT(err_set(ERR_EMPTY, "no %s phrase to compare with", e->o->training ? "training" : "held-out"));
    e->n_requests = count_requests(e, chosen, n);
    e->out->classifier = judge_score(e);
    e->out->chance = 100.0 / (double)n_genres;
    for (size_t at = 0; at < n; )
        TRY_OUT(eval_genre(e, chosen, n, &at));
    if (e->n_takes == 0 && *e->refusal)
        TRY_OUT(err_set(ERR_UNSUPPORTED, "%s", e->refusal));
    eval_add_total(e->out);
    finish(e);
    e->out->seconds_per_take = e->n_takes ? e->model_seconds / (double)e->n_takes : NAN;
out:
    free(chosen);
    free(want);
    return err;
}

enum err eval_run(const struct model_kind *kind, struct model *m, const struct dataset *d, const struct eval_opts *o,
                  struct eval **out)
{
    if (!(kind->verbs >> VERB_GENERATE & 1) && o->mode[EVAL_SCRATCH])
        return err_set(ERR_UNSUPPORTED, "%s makes nothing from scratch", kind->title);
    if (!(kind->verbs >> VERB_ACCOMPANY & 1) && o->mode[EVAL_ACCOMPANY])
        return err_set(ERR_UNSUPPORTED, "%s does not accompany", kind->title);
    if (o->yardstick && o->mode[EVAL_ACCOMPANY])
        return err_set(ERR_RANGE, "songs cannot accompany a phrase: the yardstick is for scratch only");
    if (o->phrases < 1 || o->takes < 1 || o->takes > MAX_TAKES || dataset_n_genres(d) >= UINT8_MAX)
        return err_set(ERR_RANGE, "%d phrases and %d takes; at most %d takes", o->phrases, o->takes, MAX_TAKES);
    struct evaluation e = { .kind = kind, .model = m, .data = d, .o = o };
    e.out = xcalloc(1, sizeof(*e.out));
    e.out->rows = xcalloc(dataset_n_genres(d) + 1, sizeof(*e.out->rows));
    memcpy(e.out->mode, o->mode, sizeof(o->mode));
    e.out->training = o->training;
    enum err err = run(&e);
    memory_free(e.memory);
    ear_free(e.ear);
    free_clouds(&e);
    roll_fini(&e.roll);
    if (err == ERR_OK)
        *out = e.out;
    else
        eval_free(e.out);
    return err;
}

void eval_free(struct eval *e)
{
    if (e)
        free(e->rows);
    free(e);
}
