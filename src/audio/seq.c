/* seq.c: a song flattened into events.
 *
 * Notes of all audible tracks are put in order first, then cut where the same pitch starts again on the same
 * channel, so that on a channel note-ons and note-offs of a pitch always alternate. Invariants of the result:
 * events sorted by (tick, rank of kind), every note-on has its note-off at a later tick, seconds never
 * decrease, and nothing refers back to the song. */
#include "seq.h"
#include <stdlib.h>
#include "mem.h"
#include "song.h"

struct voice { int32_t tick, end; uint8_t channel, pitch, vel; };
struct voices { struct voice *v; size_t n, cap; };

static const uint8_t rank[] = {[SEQ_PROGRAM] = 0, [SEQ_CONTROL] = 1, [SEQ_OFF] = 2, [SEQ_ON] = 3};

static int by_start(const void *pa, const void *pb)
{
    const struct voice *a = pa, *b = pb;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (a->channel != b->channel)
        return a->channel - b->channel;
    if (a->pitch != b->pitch)
        return a->pitch - b->pitch;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return a->vel - b->vel;
}

static int by_time(const void *pa, const void *pb)
{
    const struct seq_event *a = pa, *b = pb;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (rank[a->kind] != rank[b->kind])
        return rank[a->kind] - rank[b->kind];
    if (a->channel != b->channel)
        return a->channel - b->channel;
    if (a->a != b->a)
        return a->a - b->a;
    return a->b - b->b;
}

static bool audible(const struct song *s, size_t i, uint64_t only)
{
    if (only)
        return i < 64 && (only >> i & 1);
    bool any_solo = false;
    for (size_t k = 0; k < s->n_tracks; k++)
        any_solo |= s->tracks[k].solo;
    return any_solo ? s->tracks[i].solo : !s->tracks[i].mute;
}

/* As in an exported file: drums on channel 10, the others in order on the rest; from the sixteenth on a part
 * shares the channel of an earlier one with its program, else they take turns. Muting changes nothing. */
static uint8_t *assign_channels(const struct song *s)
{
    uint8_t *channel = xcalloc(s->n_tracks + 1, 1);
    int n = 0;
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        if (t->role == ROLE_DRUMS || (t->role == ROLE_NONE && t->channel == 9)) {
            channel[i] = 9;
            continue;
        }
        int turn = n % 15;
        channel[i] = (uint8_t)(turn < 9 ? turn : turn + 1);
        for (size_t k = 0; n >= 15 && k < i; k++)
            if (channel[k] != 9 && s->tracks[k].program == t->program) {
                channel[i] = channel[k];
                break;
            }
        n++;
    }
    return channel;
}

static void collect(const struct song *s, uint64_t only, const uint8_t *channel, struct voices *out)
{
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        if (!audible(s, i, only))
            continue;
        for (size_t k = 0; k < t->n; k++) {
            const struct note *n = &t->notes[k];
            out->v = xgrow(out->v, out->n, &out->cap, sizeof *out->v);
            out->v[out->n++] = (struct voice){n->tick, n->tick + n->dur, channel[i], n->pitch, n->vel};
        }
    }
    if (out->n)
        qsort(out->v, out->n, sizeof *out->v, by_start);
}

/* Cut a sounding note where its pitch starts again; of notes that start together keep the last, which is
 * the longest. Dropped ones get end = tick. */
static void cut_overlaps(struct voices *vs)
{
    size_t last[16][128];
    for (int c = 0; c < 16; c++)
        for (int p = 0; p < 128; p++)
            last[c][p] = SIZE_MAX;
    for (size_t i = 0; i < vs->n; i++) {
        struct voice *v = &vs->v[i];
        size_t *slot = &last[v->channel][v->pitch];
        if (*slot != SIZE_MAX && vs->v[*slot].end > v->tick)
            vs->v[*slot].end = v->tick;
        *slot = i;
    }
}

static void add(struct seq *q, int32_t tick, enum seq_kind kind, int channel, int a, int b)
{
    q->events[q->n++] = (struct seq_event){tick, 0, (uint8_t)kind, (uint8_t)channel, (uint8_t)a, (uint8_t)b};
}

static void add_setup(struct seq *q, const struct track *t, int c)
{
    add(q, 0, SEQ_PROGRAM, c, t->program & 127, 0);
    add(q, 0, SEQ_CONTROL, c, 7, t->volume & 127);
    add(q, 0, SEQ_CONTROL, c, 10, t->pan & 127);
    add(q, 0, SEQ_CONTROL, c, 91, t->reverb & 127);
    add(q, 0, SEQ_CONTROL, c, 93, t->chorus & 127);
}

static void map_tempos(struct seq *q, const struct song *s)
{
    q->tempos = xcalloc(s->n_tempos + 1, sizeof *q->tempos);
    q->tempos[0] = (struct seq_tempo){0, 0, 500000 * 1e-6 / SONG_TPQ};
    q->n_tempos = 1;
    for (size_t i = 0; i < s->n_tempos; i++) {
        const struct tempo *t = &s->tempos[i];
        struct seq_tempo next = {t->tick, seq_seconds(q, t->tick), t->usec * 1e-6 / SONG_TPQ};
        q->n_tempos += t->tick > q->tempos[q->n_tempos - 1].tick;
        q->tempos[q->n_tempos - 1] = next;
    }
}

static void map_metres(struct seq *q, const struct song *s)
{
    q->metres = xcalloc(s->n_metres + 1, sizeof *q->metres);
    for (size_t i = 0; i < s->n_metres; i++) {
        struct metre m = s->metres[i];
        int32_t beat = m.den > 0 ? 4 * SONG_TPQ / m.den : SONG_TPQ;
        q->metres[q->n_metres++] = (struct seq_metre){m.tick, beat, beat * (m.num > 0 ? m.num : 1)};
    }
    if (q->n_metres == 0)
        q->metres[q->n_metres++] = (struct seq_metre){0, SONG_TPQ, 4 * SONG_TPQ};
}

static struct seq *build(const struct song *s, uint64_t only)
{
    struct seq *q = xcalloc(1, sizeof *q);
    struct voices vs = {0};
    uint8_t *channel = assign_channels(s);
    collect(s, only, channel, &vs);
    cut_overlaps(&vs);
    map_tempos(q, s);
    map_metres(q, s);
    q->events = xmalloc((2 * vs.n + 5 * s->n_tracks + 1) * sizeof *q->events);
    for (size_t i = 0; i < s->n_tracks; i++)
        if (audible(s, i, only))
            add_setup(q, &s->tracks[i], channel[i]);
    for (size_t i = 0; i < vs.n; i++) {
        const struct voice *v = &vs.v[i];
        if (v->end <= v->tick)
            continue;
        add(q, v->tick, SEQ_ON, v->channel, v->pitch & 127, v->vel & 127);
        add(q, v->end, SEQ_OFF, v->channel, v->pitch & 127, 0);
    }
    free(vs.v);
    free(channel);
    if (q->n)
        qsort(q->events, q->n, sizeof *q->events, by_time);
    for (size_t i = 0; i < q->n; i++)
        q->events[i].seconds = seq_seconds(q, q->events[i].tick);
    q->end_tick = song_bar_tick(s, song_n_bars(s));
    q->end_seconds = seq_seconds(q, q->end_tick);
    return q;
}

struct seq *seq_new(const struct song *s)
{
    return build(s, 0);
}

struct seq *seq_new_tracks(const struct song *s, uint64_t tracks)
{
    BUG_ON(tracks == 0);
    return build(s, tracks);
}

void seq_free(struct seq *q)
{
    if (!q)
        return;
    free(q->events);
    free(q->tempos);
    free(q->metres);
    free(q);
}

double seq_seconds(const struct seq *q, double tick)
{
    size_t i = 0, end = q->n_tempos;
    while (end - i > 1) {
        size_t mid = i + (end - i) / 2;
        if (q->tempos[mid].tick <= tick)
            i = mid;
        else
            end = mid;
    }
    return q->tempos[i].seconds + (tick - q->tempos[i].tick) * q->tempos[i].per_tick;
}

double seq_tick(const struct seq *q, double seconds)
{
    size_t i = 0, end = q->n_tempos;
    while (end - i > 1) {
        size_t mid = i + (end - i) / 2;
        if (q->tempos[mid].seconds <= seconds)
            i = mid;
        else
            end = mid;
    }
    return q->tempos[i].tick + (seconds - q->tempos[i].seconds) / q->tempos[i].per_tick;
}

size_t seq_first_at(const struct seq *q, double seconds)
{
    size_t lo = 0, hi = q->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (q->events[mid].seconds < seconds)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static size_t metre_at(const struct seq *q, int32_t tick)
{
    size_t i = 0;
    while (i + 1 < q->n_metres && q->metres[i + 1].tick <= tick)
        i++;
    return i;
}

struct seq_metre seq_metre(const struct seq *q, int32_t tick)
{
    return q->metres[metre_at(q, tick)];
}

int32_t seq_beat(const struct seq *q, int32_t tick, bool *starts_bar)
{
    size_t i = metre_at(q, tick);
    const struct seq_metre *m = &q->metres[i];
    int32_t into = tick > m->tick ? (tick - m->tick + m->beat - 1) / m->beat * m->beat : 0;
    if (i + 1 < q->n_metres && m->tick + into >= q->metres[i + 1].tick) { /* the next metre begins first */
        m = &q->metres[i + 1];
        into = 0;
    }
    *starts_bar = into % m->bar == 0;
    return m->tick + into;
}
