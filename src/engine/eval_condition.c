/* eval_condition.c: how a kept track and the tracks around it go together, by harmony and by rhythm, and what is no
 * music at all. */
#include <math.h>
#include "eval_parts.h"
#include "roll.h"

enum { LOW = 24, N_PITCHES = 84 };

static void add(struct eval_mean *m, double value, double weight)
{
    m->sum += value;
    m->weight += weight;
}

/* Tonal distance of the kept track to each other pitched one, beat by beat where both sound. */
static void measure_tonal(struct eval_mean *out, const struct roll *r, enum role role)
{
    struct metrics m = { .n_phrases = 0 };
    metrics_add_tracks(&m, r, 0, 1u << role);
    for (int a = 0; a < N_ROLES; a++)
        for (int b = 0; b < N_ROLES; b++)
            add(out, m.td_sum[a][b], m.td_weight[a][b]);
}

void condition_measure(struct eval_side *s, const struct pnote *kept, uint32_t n_kept, const struct pnote *made,
                       uint32_t n_made, enum role role, bool own)
{
    struct roll r, around;
    bool begins[PHRASE_STEPS] = { false };
    if (roll_new(N_ROLES, PHRASE_BARS, PHRASE_BAR_STEPS, LOW, N_PITCHES, &r) != ERR_OK)
        return;
    if (roll_new(N_ROLES, PHRASE_BARS, PHRASE_BAR_STEPS, LOW, N_PITCHES, &around) != ERR_OK) {
        roll_fini(&r);
        return;
    }
    phrase_to_roll(kept, n_kept, &r);
    phrase_to_roll(made, n_made, &around);
    for (int t = 0; t < N_ROLES; t++)
        for (int step = 0; step < roll_steps(&r) && t != (int)role; step++)
            for (int row = 0; row < r.n_pitches; row++)
                *roll_at(&r, t, step, row) = *roll_at(&around, t, step, row);
    if (role != ROLE_DRUMS)
        measure_tonal(&s->tonal[!own], &r, role);
    roll_fini(&around);
    roll_fini(&r);
    for (uint32_t i = 0; i < n_kept; i++)
        begins[kept[i].start] |= kept[i].role == role;
    for (uint32_t i = 0; i < n_made; i++)
        if (made[i].role != role)
            add(&s->together[!own], begins[made[i].start] ? 100 : 0, 1);
}

bool is_stuck(const struct pnote *notes, uint32_t n, unsigned tracks)
{
    const struct pnote *first = NULL;
    bool same_pitch = true, same_step = true;
    for (uint32_t i = 0; i < n; i++) {
        if (!(tracks >> notes[i].role & 1))
            continue;
        first = first ? first : &notes[i];
        same_pitch &= notes[i].role == first->role && notes[i].pitch == first->pitch;
        same_step &= notes[i].start == first->start;
    }
    return first && (same_pitch || same_step);
}
