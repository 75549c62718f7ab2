/* roll.c: song -> grid -> song. A roll knows nothing of tempo or names; it is a view for models and metrics.
 * A run of cells is one note: CELL_ONSET, then CELL_HOLD while it sounds. A run that begins with a hold
 * belongs to a note from before the span and makes no new note. */
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "roll.h"
#include "song.h"

enum { BAR_TICKS = 4 * SONG_TPQ, DRUM_GATE = SONG_TPQ / 4, DEFAULT_VEL = 80, MAX_BAR_STEPS = 1920, MAX_SAMPLE = 1 << 30 };

enum err roll_new(int n_tracks, int n_bars, int bar_steps, int low, int n_pitches, struct roll *out)
{
    struct roll r = { n_tracks, n_bars, bar_steps, low, n_pitches, NULL, NULL };
    void *cells = NULL;
    size_t n = 0;

    if (n_tracks < 0 || n_bars < 0 || bar_steps < 1 || bar_steps > MAX_BAR_STEPS || low < 0 || n_pitches < 1 ||
        low + n_pitches > 128)
        return err_set(ERR_RANGE, "roll of %d tracks, %d bars of %d steps, pitches %d to %d", n_tracks, n_bars,
                       bar_steps, low, low + n_pitches - 1);
    if (!size_mul((size_t)n_bars, (size_t)bar_steps, &n) || n > INT32_MAX ||
        !size_mul(n, (size_t)n_pitches, &n) || !size_mul(n, (size_t)n_tracks, &n))
        return err_set(ERR_RANGE, "a roll of %d bars is too large", n_bars);
    TRY(mem_try_alloc(n ? n : 1, 2, &cells));
    r.cell = cells;
    r.vel = r.cell + n;
    *out = r;
    return ERR_OK;
}

void roll_fini(struct roll *r)
{
    free(r->cell); /* velocities lie in the same block */
    memset(r, 0, sizeof(*r));
}

static size_t cell_index(const struct roll *r, int track, int step, int row)
{
    return ((size_t)track * (size_t)roll_steps(r) + (size_t)step) * (size_t)r->n_pitches + (size_t)row;
}

uint8_t *roll_at(const struct roll *r, int track, int step, int pitch_row)
{
    return &r->cell[cell_index(r, track, step, pitch_row)];
}

/* ---- from a song ---- */

static int nearest_step(const struct roll *r, int64_t tick, int bar_ticks)
{
    return (int)((tick * r->bar_steps * 2 + bar_ticks) / (2 * bar_ticks));
}

static void put_note(struct roll *r, int track, const struct note *n, int32_t tick0, int bar_ticks, bool drums)
{
    int row = n->pitch - r->low, steps = roll_steps(r);
    if (row < 0 || row >= r->n_pitches || n->tick + n->dur <= tick0)
        return;
    /* ticks before the span are shifted by a bar so that the division rounds the same way */
    int start = n->tick < tick0 - bar_ticks
                    ? -1
                    : nearest_step(r, n->tick - tick0 + bar_ticks, bar_ticks) - r->bar_steps;
    int end = nearest_step(r, n->tick + n->dur - tick0, bar_ticks);
    end = drums || end <= start ? start + 1 : end;
    if (start >= steps || (start < 0 && drums))
        return;
    for (int s = start < 0 ? 0 : start + 1; s < steps && *roll_at(r, track, s, row) == CELL_HOLD; s++)
        *roll_at(r, track, s, row) = CELL_OFF; /* an earlier note is cut where a later one begins */
    for (int s = start < 0 ? 0 : start; s < end && s < steps; s++)
        *roll_at(r, track, s, row) = s == start ? CELL_ONSET : CELL_HOLD;
    if (start >= 0)
        r->vel[cell_index(r, track, start, row)] = n->vel;
}

static bool is_common_time(const struct song *s, int bar)
{
    int32_t tick = song_bar_tick(s, bar);
    struct metre m = song_metre(s, tick);
    return m.num == 4 && m.den == 4 && song_bar_tick(s, bar + 1) - tick == BAR_TICKS;
}

static enum err check_bars(const struct song *s, int bar0, int n_bars)
{
    for (int b = bar0; b < bar0 + n_bars; b++)
        if (!is_common_time(s, b)) {
            struct metre m = song_metre(s, song_bar_tick(s, b));
            return err_set(ERR_UNSUPPORTED, "bar %d is in %d/%d%s: the grid is 4/4", b + 1, m.num, m.den,
                           m.num == 4 && m.den == 4 ? " and cut short" : "");
        }
    return ERR_OK;
}

enum err roll_from_song(const struct song *s, int bar0, int n_bars, int bar_steps, int low, int n_pitches,
                        struct roll *out)
{
    struct roll r;

    if (bar0 < 0 || n_bars < 0)
        return err_set(ERR_RANGE, "bars %d to %d", bar0 + 1, bar0 + n_bars);
    TRY(check_bars(s, bar0, n_bars));
    TRY(roll_new((int)s->n_tracks, n_bars, bar_steps, low, n_pitches, &r));
    int32_t tick0 = song_bar_tick(s, bar0);
    for (size_t t = 0; t < s->n_tracks; t++)
        for (size_t i = 0; i < s->tracks[t].n; i++)
            put_note(&r, (int)t, &s->tracks[t].notes[i], tick0, BAR_TICKS, s->tracks[t].role == ROLE_DRUMS);
    *out = r;
    return ERR_OK;
}

enum err roll_sample(const struct song *s, int beat_steps, int low, int n_pitches, struct roll *out)
{
    struct roll r;
    int beats = (song_bar_tick(s, song_n_bars(s)) + SONG_TPQ - 1) / SONG_TPQ;
    if (beats == 0)
        return err_set(ERR_EMPTY, "there are no notes to draw");
    if ((double)beats * beat_steps * n_pitches * (double)s->n_tracks > MAX_SAMPLE)
        return err_set(ERR_RANGE, "%d beats of %d steps are too many to draw", beats, beat_steps);
    TRY(roll_new((int)s->n_tracks, beats, beat_steps, low, n_pitches, &r));
    for (size_t t = 0; t < s->n_tracks; t++)
        for (size_t i = 0; i < s->tracks[t].n; i++)
            put_note(&r, (int)t, &s->tracks[t].notes[i], 0, SONG_TPQ, s->tracks[t].role == ROLE_DRUMS);
    *out = r;
    return ERR_OK;
}

/* ---- to a song ---- */

static int32_t step_tick(const struct roll *r, int32_t tick0, int step)
{
    return tick0 + (int32_t)(((int64_t)step * BAR_TICKS * 2 + r->bar_steps) / (2 * r->bar_steps));
}

/* End of the run that starts at `step`. */
static int run_end(const struct roll *r, int track, int step, int row)
{
    int e = step + 1;
    while (e < roll_steps(r) && *roll_at(r, track, e, row) == CELL_HOLD)
        e++;
    return e;
}

enum err roll_to_song(const struct roll *r, struct song *s, int bar0)
{
    if ((size_t)r->n_tracks > s->n_tracks)
        return err_set(ERR_SHAPE, "a roll of %d tracks for a song of %zu", r->n_tracks, s->n_tracks);
    TRY(check_bars(s, bar0, r->n_bars));
    int32_t tick0 = song_bar_tick(s, bar0);
    for (int t = 0; t < r->n_tracks; t++) {
        struct track *to = &s->tracks[t];
        for (int step = 0; step < roll_steps(r); step++)
            for (int row = 0; row < r->n_pitches; row++) {
                if (*roll_at(r, t, step, row) != CELL_ONSET)
                    continue;
                int32_t tick = step_tick(r, tick0, step);
                int32_t end = step_tick(r, tick0, run_end(r, t, step, row));
                uint8_t vel = r->vel[cell_index(r, t, step, row)];
                track_push(to, (struct note){ tick, to->role == ROLE_DRUMS ? DRUM_GATE : end - tick,
                                              (uint8_t)(r->low + row), vel ? vel : DEFAULT_VEL });
            }
        track_tidy(to);
    }
    return ERR_OK;
}
