/* musegan_roll.c: notes to tensors and back. A tensor holds one number a (bar, step, pitch, role), 1 where
 * something sounds and -1 elsewhere; drums are marked at their onsets only. Two touching notes of a pitch are
 * told apart by a silent last step of the first. */
#include <math.h>
#include "accent.h"
#include "musegan.h"
#include "rng.h"
#include "song.h"

static const int DRUM_GATE = SONG_TPQ / 4;

/* A grid that leaves out the lowest octave begins an octave lower for the bass. */
static int lowest(const struct musegan_config *c, int role)
{
    return role == ROLE_BASS && c->low >= 36 ? c->low - 12 : c->low;
}

/* Row of a pitch in the grid: pitched roles are folded into it by octaves, drums outside have none (-1). */
static int pitch_row(const struct musegan_config *c, int role, int pitch)
{
    enum { KICK_2 = 35 }; /* plays where the other bass drum does when the grid begins there */
    int n = musegan_pitches(c), row = pitch - lowest(c, role) + (role == ROLE_DRUMS && pitch == KICK_2 && c->low > KICK_2);
    if (role != ROLE_DRUMS) {
        while (row < 0)
            row += 12;
        while (row >= n)
            row -= 12;
    }
    return row >= 0 && row < n ? row : -1;
}

void musegan_encode(const struct musegan_config *c, const struct pnote *notes, uint32_t n, int shift, float *cells)
{
    size_t step_stride = (size_t)musegan_pitches(c) * N_ROLES, all = musegan_cells(c) * N_ROLES;
    int n_steps = c->bars * c->steps;
    for (size_t i = 0; i < all; i++)
        cells[i] = -1;
    for (uint32_t i = 0; i < n; i++) {
        int role = notes[i].role, row = pitch_row(c, role, notes[i].pitch + (role == ROLE_DRUMS ? 0 : shift));
        int from = notes[i].start * c->steps / PHRASE_BAR_STEPS;
        int to = (notes[i].start + notes[i].dur) * c->steps / PHRASE_BAR_STEPS;
        if (row < 0 || from >= n_steps)
            continue;
        to = role == ROLE_DRUMS || to <= from ? from + 1 : to;
        to = to < n_steps ? to : n_steps;
        float *column = cells + (size_t)row * N_ROLES + (size_t)role;
        if (from >= 2 && column[(size_t)(from - 1) * step_stride] > 0 &&
            column[(size_t)(from - 2) * step_stride] > 0)
            column[(size_t)(from - 1) * step_stride] = -1;
        for (int t = from; t < to; t++)
            column[(size_t)t * step_stride] = 1;
    }
}

void musegan_extract(const struct musegan_config *c, const float *cells, enum role r, float *role_cells)
{
    size_t n = musegan_cells(c);
    for (size_t i = 0; i < n; i++)
        role_cells[i] = cells[i * N_ROLES + r];
}

void musegan_binarise(const struct musegan_config *c, const float *cells, double temperature, uint64_t seed,
                      uint64_t stream, uint8_t *on)
{
    size_t n = musegan_cells(c) * N_ROLES;
    struct rng r;
    rng_init(&r, seed, stream);
    for (size_t i = 0; i < n; i++) {
        double p = 0.5 * ((double)cells[i] + 1), odds = p < 1 ? p / (1 - p) : HUGE_VAL;
        double drawn = (double)rng_uniform(&r);
        if (temperature <= 0)
            on[i] = p > 0.5;
        else
            on[i] = temperature == 1 ? drawn < p : drawn < 1 - 1 / (1 + pow(odds, 1 / temperature));
    }
}

/* The pitch of a row, moved back by octaves where there is none. */
static int row_pitch(const struct musegan_config *c, int role, int row, int shift)
{
    int pitch = lowest(c, role) + row - (role == ROLE_DRUMS ? 0 : shift);
    return pitch < 0 ? pitch + 12 : pitch > 127 ? pitch - 12 : pitch;
}

/* One pitch of one role: each run of cells that are on is a note. */
static void decode_row(const struct musegan_config *c, const uint8_t *on, int role, int row, int pitch,
                       const uint8_t *wanted, int32_t tick0, struct track *out)
{
    size_t stride = (size_t)musegan_pitches(c) * N_ROLES;
    int n_steps = c->bars * c->steps, step_ticks = 4 * SONG_TPQ / c->steps;
    const uint8_t *column = on + (size_t)row * N_ROLES + (size_t)role;
    for (int t = 0, end; t < n_steps; t = end) {
        end = t + 1;
        if (!column[(size_t)t * stride] || !wanted[role * c->bars + t / c->steps])
            continue;
        while (end < n_steps && column[(size_t)end * stride] && wanted[role * c->bars + end / c->steps])
            end++;
        int32_t tick = tick0 + t * step_ticks;
        track_add(out, (struct note){.tick = tick,
                                     .pitch = (uint8_t)pitch,
                                     .dur = role == ROLE_DRUMS ? DRUM_GATE : (end - t) * step_ticks,
                                     .vel = (uint8_t)accent_velocity(role, pitch, t % c->steps * step_ticks, (uint32_t)tick)});
    }
}

void musegan_decode(const struct musegan_config *c, const uint8_t *on, const uint8_t *wanted, int bar0, int shift,
                    struct song *s)
{
    int32_t tick0 = song_bar_tick(s, bar0);
    for (int role = 0; role < N_ROLES; role++)
        for (int row = 0; row < musegan_pitches(c); row++)
            decode_row(c, on, role, row, row_pitch(c, role, row, shift), wanted, tick0, song_track_of(s, role));
}
