/* train_sample.c: see train_sample.h. The weights are opened as anyone would open them, so what is heard is what
 * would ship, and training does not notice. The seed is always the same: the takes of a step are those of the step
 * before, grown. */
#include "train_sample.h"
#include <math.h>
#include <stdlib.h>
#include "ckpt.h"
#include "file.h"
#include "mem.h"
#include "metric.h"
#include "midi.h"
#include "npz.h"
#include "phrase.h"
#include "roll.h"
#include "song.h"
#include "str.h"
#include "verb.h"

enum { ROWS = 2, COLUMNS = 4, N_TAKES = ROWS * COLUMNS, SEED = 1, MAX_PHRASES = 400, LOW = 24, N_PITCHES = 84,
       BEAT_STEPS = 12 };

const char *const figure_names[N_FIGURES] = {
    [FIGURE_POLYPHONIC] = "polyphonic", [FIGURE_DRUM_PATTERN] = "drum beat", [FIGURE_IN_SCALE] = "in scale",
};

/* ---- figures ---- */

static void measure(struct metrics *m, struct roll *r, const struct pnote *p, uint32_t n)
{
    phrase_to_roll(p, n, r);
    metrics_add(m, r, key_scale(phrase_key(p, n)));
}

static double pitched(const struct metrics *m, enum metric which)
{
    double sum = 0, weight = 0;
    for (int r = ROLE_DRUMS + 1; r < N_ROLES; r++) {
        sum += m->sum[which][r];
        weight += m->weight[which][r];
    }
    return weight > 0 ? sum / weight : NAN;
}

static struct figures figures_of(const struct metrics *m)
{
    return (struct figures){ { [FIGURE_POLYPHONIC] = pitched(m, METRIC_PR),
                               [FIGURE_DRUM_PATTERN] = metrics_get(m, METRIC_DP, ROLE_DRUMS),
                               [FIGURE_IN_SCALE] = pitched(m, METRIC_ISR) } };
}

static size_t count(const struct dataset *d, bool held_out)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset_n(d); i++)
        n += dataset_get(d, i).held_out == held_out;
    return n;
}

void figures_of_data(const struct dataset *d, struct figures *out)
{
    struct metrics m = { .n_phrases = 0 };
    struct roll roll;
    bool held_out = count(d, true) > 0;
    size_t every = count(d, held_out) / MAX_PHRASES + 1, at = 0;
    *out = figures_of(&m);
    if (dataset_n(d) == 0 || roll_new(N_ROLES, PHRASE_BARS, PHRASE_BAR_STEPS, LOW, N_PITCHES, &roll) != ERR_OK)
        return;
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        if (p.held_out == held_out && at++ % every == 0)
            measure(&m, &roll, p.notes, p.n);
    }
    roll_fini(&roll);
    *out = figures_of(&m);
}

/* ---- takes ---- */

struct takes { struct song *at[N_TAKES]; };

static void on_take(void *ctx, int index, struct take *take)
{
    struct takes *t = ctx;
    if (index >= 0 && index < N_TAKES) {
        song_free(t->at[index]);
        t->at[index] = take->song;
        take->song = NULL;
    }
    take_fini(take);
}

static enum err ask(const struct model_kind *kind, struct model *m, enum verb verb, const struct song *song, int keep,
                    struct takes *takes)
{
    const struct progress progress = { .on_take = on_take, .ctx = takes };
    struct request rq;
    request_init(&rq, verb, song);
    rq.n_bars = PHRASE_BARS;
    rq.genre = -1;
    rq.seed = SEED;
    rq.n_takes = N_TAKES;
    for (int b = 0; b < PHRASE_BARS && keep >= 0; b++)
        rq.keep[keep][b] = 1;
    return kind->run(m, &rq, &progress);
}

/* The phrase in which most tracks sound: any condition finds its own there. */
static enum err seed_song(const struct dataset *d, struct song *out)
{
    struct phrase best = { .n = 0 };
    int most = 0;
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        unsigned roles = 0;
        for (uint32_t k = 0; k < p.n; k++)
            roles |= 1u << p.notes[k].role;
        int n = 2 * __builtin_popcount(roles) + p.held_out;
        if (n > most) {
            most = n;
            best = p;
        }
    }
    return phrase_to_song(best.notes, best.n, out, 0);
}

/* From nothing, or else around the first track that the model takes. *made stays false when it takes none. */
static enum err play(const struct model_kind *kind, struct model *m, const struct dataset *d, struct takes *takes,
                     bool *made)
{
    struct song *song = song_new_band();
    enum err err = ERR_UNSUPPORTED;
    if (kind->verbs >> VERB_GENERATE & 1)
        err = ask(kind, m, VERB_GENERATE, song, -1, takes);
    if (err == ERR_UNSUPPORTED && kind->verbs >> VERB_ACCOMPANY & 1 && dataset_n(d) > 0) {
        TRY_OUT(seed_song(d, song));
        err = ERR_UNSUPPORTED;
        for (int r = 0; r < N_ROLES && err == ERR_UNSUPPORTED; r++)
            err = ask(kind, m, VERB_ACCOMPANY, song, r, takes);
    }
    *made = err == ERR_OK;
    if (err == ERR_UNSUPPORTED)
        err = ERR_OK;
out:
    song_free(song);
    return err;
}

/* One after another, a bar of rest between. */
static struct song *in_a_row(const struct takes *t)
{
    struct song *all = song_new_band();
    for (int i = 0; i < N_TAKES; i++)
        if (t->at[i])
            song_paste(all, song_bar_tick(all, i * (PHRASE_BARS + 1)), t->at[i], 0, song_bar_tick(t->at[i], PHRASE_BARS));
    return all;
}

static enum err measure_takes(const struct takes *t, struct figures *out)
{
    struct metrics m = { .n_phrases = 0 };
    struct roll roll;
    enum err err = ERR_OK;
    TRY(roll_new(N_ROLES, PHRASE_BARS, PHRASE_BAR_STEPS, LOW, N_PITCHES, &roll));
    for (int i = 0; i < N_TAKES && err == ERR_OK; i++) {
        struct pnote *notes = NULL;
        uint32_t n;
        if (!t->at[i])
            continue;
        err = phrase_from_song(t->at[i], 0, &notes, &n);
        if (err == ERR_OK)
            measure(&m, &roll, notes, n);
        free(notes);
    }
    roll_fini(&roll);
    *out = figures_of(&m);
    return err;
}

static enum err write_takes(const struct takes *t, const char *folder, const char *stem)
{
    char name[64];
    struct song *all = in_a_row(t);
    str_format(name, sizeof name, "%s.mid", stem);
    char *midi = path_join(folder, name);
    str_format(name, sizeof name, "%s.png", stem);
    char *picture = path_join(folder, name);
    enum err err = midi_save(all, &(struct midi_write_opts){ .format = 1 }, midi);
    if (err == ERR_OK)
        err = png_save_grid((const struct song *const *)t->at, ROWS, COLUMNS, PHRASE_BARS,
                            &(struct png_opts){ .beat_steps = BEAT_STEPS, .scale = 1, .overlay = true }, picture);
    free(midi);
    free(picture);
    song_free(all);
    return err;
}

enum err train_sample(const struct model_kind *kind, struct device *device, const char *weights, const struct dataset *d,
                      const char *folder, const char *stem, struct figures *out, bool *made)
{
    struct takes takes = { .at = { NULL } };
    struct ckpt *w = NULL;
    struct model *m = NULL;
    enum err err = ERR_OK;
    *made = false;
    if (!(kind->verbs & (1u << VERB_GENERATE | 1u << VERB_ACCOMPANY)))
        return ERR_OK;
    TRY_OUT(ckpt_open(weights, &w));
    TRY_OUT(kind->open(device, w, &m));
    TRY_OUT(play(kind, m, d, &takes, made));
    if (*made) {
        TRY_OUT(measure_takes(&takes, out));
        TRY_OUT(write_takes(&takes, folder, stem));
    }
out:
    for (int i = 0; i < N_TAKES; i++)
        song_free(takes.at[i]);
    if (m)
        kind->close(m);
    ckpt_close(w);
    return err;
}
