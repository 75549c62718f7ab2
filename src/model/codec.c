/* codec.c: phrases to steps and back; see codec.h for the language. The tables below are the grid: all
 * rounding to it happens in this file and nowhere else. */
#include "codec.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEAT_STEPS = 12, BEAT_POS = 8, DRUM_HIGH = CODEC_DRUM_LOW + CODEC_PITCH - CODEC_PITCHED - 1 };

static const enum role rank_role[N_ROLES] = { ROLE_DRUMS, ROLE_BASS, ROLE_PIANO, ROLE_GUITAR, ROLE_STRINGS };
static const uint8_t beat_pos_step[BEAT_POS] = { 0, 2, 3, 4, 6, 8, 9, 10 };
/* Ties go to the coarser subdivision: a step that lies between a beat and a triplet sixteenth is the beat. */
static const uint8_t beat_step_pos[BEAT_STEPS + 1] = { 0, 0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 8 };
static const uint8_t dur_steps[CODEC_DUR] = { 1, 2, 3, 4, 6, 8, 9, 12, 15, 18, 21, 24,
                                              30, 36, 42, 48, 60, 72, 84, 96, 120, 144, 168, 192 };
static const uint8_t class_most[CODEC_CLASSES - 1] = { 0, 6, 13, 24, 40, 64, 100 };

int codec_rank(enum role r)
{
    for (int i = 0; i < N_ROLES; i++)
        if (rank_role[i] == r)
            return i;
    BUG_ON(true);
    return 0;
}

enum role codec_role(int rank)
{
    return rank_role[rank];
}

uint32_t codec_role_cells(int rank)
{
    uint32_t cells = 0;
    for (int bar = 0; bar < PHRASE_BARS; bar++)
        cells |= 1u << codec_cell(bar, rank);
    return cells;
}

int codec_pos(int step)
{
    int pos = step / BEAT_STEPS * BEAT_POS + beat_step_pos[step % BEAT_STEPS];
    return pos < CODEC_POS ? pos : CODEC_POS - 1;
}

int codec_pos_step(int pos)
{
    return pos / BEAT_POS * BEAT_STEPS + beat_pos_step[pos % BEAT_POS];
}

/* Between neighbours the border is their geometric mean: x * x > a * b is nearer to b. */
int codec_dur(int steps)
{
    int i = 0;
    while (i < CODEC_DUR - 1 && steps * steps > dur_steps[i] * dur_steps[i + 1])
        i++;
    return i;
}

int codec_dur_steps(int dur)
{
    return dur_steps[dur];
}

int codec_density(int n_notes)
{
    int cls = 0;
    while (cls < CODEC_CLASSES - 1 && n_notes > class_most[cls])
        cls++;
    return cls;
}

int codec_pitch(enum role r, int midi, int shift)
{
    if (r == ROLE_DRUMS)
        return midi < CODEC_DRUM_LOW || midi > DRUM_HIGH ? -1 : midi - CODEC_DRUM_LOW + CODEC_PITCHED;
    int pitch = midi + shift - CODEC_LOW;
    while (pitch < 0)
        pitch += 12;
    while (pitch >= CODEC_PITCHED)
        pitch -= 12;
    return pitch;
}

bool codec_folds(int midi)
{
    return midi < CODEC_LOW || midi >= CODEC_LOW + CODEC_PITCHED;
}

int codec_pitch_midi(int pitch, int shift)
{
    return pitch < CODEC_PITCHED ? pitch + CODEC_LOW - shift : pitch - CODEC_PITCHED + CODEC_DRUM_LOW;
}

int codec_vel(int vel)
{
    return vel / 16 < CODEC_VEL ? vel / 16 : CODEC_VEL - 1;
}

int codec_vel_midi(int vel)
{
    return vel * 16 + 8;
}

static int note_cell(const struct pnote *p)
{
    return codec_cell(p->start / PHRASE_BAR_STEPS, codec_rank(p->role));
}

struct key codec_key(const struct pnote *notes, uint32_t n, uint32_t cells)
{
    double profile[12] = { 0 };
    int found = 0;
    for (uint32_t i = 0; i < n; i++)
        if (notes[i].role != ROLE_DRUMS && cells >> note_cell(&notes[i]) & 1) {
            profile_add(profile, notes[i].pitch, notes[i].dur);
            found++;
        }
    return found < CODEC_KEY_NOTES ? (struct key){ .tonic = -1 } : key_estimate(profile, NULL);
}

static int note_order(const void *a, const void *b)
{
    const struct codec_note *x = a, *y = b;
    int d = x->cell - y->cell;
    d = d ? d : x->pos - y->pos;
    return d ? d : x->pitch - y->pitch;
}

static bool note_same(const struct codec_note *a, const struct codec_note *b)
{
    return a->cell == b->cell && a->pos == b->pos && a->pitch == b->pitch;
}

int codec_notes(const struct pnote *notes, uint32_t n, int shift, struct codec_note *out)
{
    int found = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct pnote *p = &notes[i];
        int pitch = codec_pitch(p->role, p->pitch, shift);
        if (pitch < 0)
            continue;
        out[found++] = (struct codec_note){
            .cell = (uint8_t)note_cell(p),
            .pos = (uint8_t)codec_pos(p->start % PHRASE_BAR_STEPS),
            .pitch = (uint8_t)pitch,
            .dur = (uint8_t)(p->role == ROLE_DRUMS ? CODEC_DRUM_DUR : codec_dur(p->dur)),
            .vel = (uint8_t)codec_vel(p->vel),
        };
    }
    if (found > 1)
        qsort(out, (size_t)found, sizeof *out, note_order);
    int kept = 0;
    for (int i = 0; i < found; i++) {
        struct codec_note *last = kept > 0 ? &out[kept - 1] : NULL;
        if (!last || !note_same(last, &out[i])) {
            out[kept++] = out[i];
        } else {
            last->dur = last->dur > out[i].dur ? last->dur : out[i].dur;
            last->vel = last->vel > out[i].vel ? last->vel : out[i].vel;
        }
    }
    return kept;
}

static int pnote_order(const void *a, const void *b)
{
    const struct pnote *x = a, *y = b;
    int d = x->start / PHRASE_BAR_STEPS - y->start / PHRASE_BAR_STEPS;
    d = d ? d : x->role - y->role;
    d = d ? d : x->start - y->start;
    return d ? d : x->pitch - y->pitch;
}

int codec_pnotes(const struct codec_note *notes, int n, int shift, struct pnote *out)
{
    for (int i = 0; i < n; i++)
        out[i] = (struct pnote){
            .role = (uint8_t)codec_role(codec_cell_rank(notes[i].cell)),
            .pitch = (uint8_t)codec_pitch_midi(notes[i].pitch, shift),
            .vel = (uint8_t)codec_vel_midi(notes[i].vel),
            .start = (uint8_t)(codec_cell_bar(notes[i].cell) * PHRASE_BAR_STEPS + codec_pos_step(notes[i].pos)),
            .dur = (uint8_t)codec_dur_steps(notes[i].dur),
        };
    if (n > 1)
        qsort(out, (size_t)n, sizeof *out, pnote_order);
    return n;
}

void codec_densities(const struct codec_note *notes, int n, int count[N_ROLES], int cls[N_ROLES])
{
    memset(count, 0, N_ROLES * sizeof *count);
    for (int i = 0; i < n; i++)
        count[codec_cell_rank(notes[i].cell)]++;
    for (int r = 0; r < N_ROLES; r++)
        cls[r] = codec_density(count[r]);
}

static struct codec_step blank_step(int tag, int genre)
{
    struct codec_step s;
    for (int i = 0; i < N_INPUTS; i++)
        s.in[i] = -1;
    for (int i = 0; i < N_HEADS; i++)
        s.out[i] = -1;
    s.in[IN_TAG] = (int16_t)tag;
    s.in[IN_GENRE] = (int16_t)genre;
    return s;
}

struct codec_step codec_start(int genre)
{
    return blank_step(TAG_START, genre);
}

struct codec_step codec_density_step(int genre, int rank, int cls)
{
    struct codec_step s = blank_step(TAG_DENSITY + rank, genre);
    s.in[IN_CLASS] = (int16_t)cls;
    return s;
}

struct codec_step codec_cell_step(int genre, int cell, bool kept)
{
    struct codec_step s = blank_step(TAG_CELL + cell, genre);
    s.in[IN_KEPT] = kept;
    return s;
}

struct codec_step codec_note_step(int genre, const struct codec_note *note, bool kept)
{
    struct codec_step s = blank_step(TAG_NOTE + note->cell, genre);
    s.in[IN_KEPT] = kept;
    s.in[IN_POS] = note->pos;
    s.in[IN_PITCH] = note->pitch;
    s.in[IN_DUR] = note->dur;
    s.in[IN_VEL] = note->vel;
    return s;
}

void codec_expect(struct codec_step *s, const struct codec_note *next)
{
    s->out[HEAD_POS] = next ? next->pos : CODEC_END;
    s->out[HEAD_PITCH] = next ? next->pitch : -1;
    s->out[HEAD_DUR] = next && next->pitch < CODEC_PITCHED ? next->dur : -1;
    s->out[HEAD_VEL] = next ? next->vel : -1;
}

int codec_length(const struct codec_note *notes, int n)
{
    int count[N_ROLES], cls[N_ROLES], length = CODEC_HEADER + n;
    codec_densities(notes, n, count, cls);
    for (int r = 0; r < N_ROLES; r++)
        length += cls[r] ? PHRASE_BARS : 0;
    return length;
}

static int put_header(const int cls[N_ROLES], int genre, struct codec_step *out)
{
    out[0] = codec_start(genre);
    for (int r = 0; r < N_ROLES; r++) {
        out[r].out[HEAD_POS] = (int16_t)(CODEC_CLASS0 + cls[r]);
        out[r + 1] = codec_density_step(genre, r, cls[r]);
    }
    return CODEC_HEADER;
}

/* One cell whose notes start at notes[0]; returns the steps written. */
static int put_cell(const struct codec_note *notes, int n, int cell, int genre, bool kept, struct codec_step *out)
{
    int at = 0;
    out[at++] = codec_cell_step(genre, cell, kept);
    for (int i = 0; i < n && notes[i].cell == cell; i++) {
        codec_expect(&out[at - 1], &notes[i]);
        out[at++] = codec_note_step(genre, &notes[i], kept);
    }
    codec_expect(&out[at - 1], NULL);
    return at;
}

int codec_steps(const struct codec_note *notes, int n, uint32_t kept, int genre, struct codec_step *out, int cap)
{
    if (codec_length(notes, n) > cap)
        return 0;
    int count[N_ROLES], cls[N_ROLES], first[CODEC_CELLS + 1], i = 0;
    codec_densities(notes, n, count, cls);
    for (int cell = 0; cell <= CODEC_CELLS; cell++) {
        while (i < n && notes[i].cell < cell)
            i++;
        first[cell] = i;
    }
    int at = put_header(cls, genre, out);
    for (int pass = 0; pass < 2; pass++) {
        bool want_kept = pass == 0;
        for (int cell = 0; cell < CODEC_CELLS; cell++)
            if (cls[codec_cell_rank(cell)] && (kept >> cell & 1) == want_kept)
                at += put_cell(notes + first[cell], first[cell + 1] - first[cell], cell, genre, want_kept, out + at);
    }
    return at;
}

int codec_read(const struct codec_step *steps, int n, struct codec_note *out, int cap)
{
    int found = 0;
    for (int i = 0; i < n && found < cap; i++)
        if (steps[i].in[IN_TAG] >= TAG_NOTE)
            out[found++] = (struct codec_note){
                .cell = (uint8_t)(steps[i].in[IN_TAG] - TAG_NOTE),
                .pos = (uint8_t)steps[i].in[IN_POS],
                .pitch = (uint8_t)steps[i].in[IN_PITCH],
                .dur = (uint8_t)steps[i].in[IN_DUR],
                .vel = (uint8_t)steps[i].in[IN_VEL],
            };
    if (found > 1)
        qsort(out, (size_t)found, sizeof *out, note_order);
    return found;
}

bool codec_class_legal(const struct codec_step *s)
{
    return s->in[IN_TAG] < TAG_DENSITY + N_ROLES - 1;
}

/* The highest pitch index a cell or note step's role can play. */
static int role_top(const struct codec_step *s)
{
    int cell = (s->in[IN_TAG] - TAG_CELL) % CODEC_CELLS;
    return codec_role(codec_cell_rank(cell)) == ROLE_DRUMS ? CODEC_PITCH - 1 : CODEC_PITCHED - 1;
}

bool codec_pos_legal(const struct codec_step *s, int out)
{
    if (s->in[IN_TAG] < TAG_CELL)
        return codec_class_legal(s) && out >= CODEC_CLASS0 && out < CODEC_POS_OUT;
    if (out == CODEC_END || s->in[IN_TAG] < TAG_NOTE)
        return out >= 0 && out <= CODEC_END;
    int first = s->in[IN_POS] + (s->in[IN_PITCH] == role_top(s));
    return out >= first && out < CODEC_POS;
}

bool codec_pitch_legal(const struct codec_step *s, int pos, int pitch)
{
    if (s->in[IN_TAG] < TAG_CELL)
        return false;
    int top = role_top(s), low = top < CODEC_PITCHED ? 0 : CODEC_PITCHED;
    if (s->in[IN_TAG] >= TAG_NOTE && pos == s->in[IN_POS])
        low = s->in[IN_PITCH] + 1;
    return pitch >= low && pitch <= top;
}
