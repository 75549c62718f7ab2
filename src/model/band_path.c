/* band_path.c: the way from one song to another, cell by cell. The open cells in which the two differ stand in
 * an order; as the mix goes from 0 to 1 a narrow front moves through it. Before the front the notes are those
 * of the one end, behind it those of the other, and the front itself is written anew between the two. */
#include "band_path.h"
#include "rng.h"
#include "song.h"
#include <string.h>

enum { STREAM_PATH = 1 << 21, FRONT_MOST = 4, CELLS_A_FRONT_CELL = 10, LIKE_TICKS = SONG_TPQ / 8 };
#define JITTER 0.25 /* of the likeness: two seeds take two ways, but none begins with what differs most */

/* The notes with onset in a bar of a track. */
struct notes { const struct note *at; size_t n; int32_t tick; };

static struct notes notes_of(const struct song *s, enum role r, int bar)
{
    const struct track *t = song_track_of(s, r);
    struct notes out = { .tick = song_bar_tick(s, bar) };
    size_t from = track_first_at(t, out.tick), to = track_first_at(t, song_bar_tick(s, bar + 1));
    out.at = t->notes + from;
    out.n = to - from;
    return out;
}

static bool same(struct notes a, struct notes b)
{
    bool equal = a.n == b.n;
    for (size_t i = 0; equal && i < a.n; i++) {
        struct note x = a.at[i], y = b.at[i];
        equal = x.tick - a.tick == y.tick - b.tick && x.dur == y.dur && x.pitch == y.pitch && x.vel == y.vel;
    }
    return equal;
}

/* 0 = the same onsets and pitches, 1 = none in common. */
static double unlike(struct notes a, struct notes b)
{
    size_t common = 0;
    for (size_t i = 0; i < a.n; i++)
        for (size_t k = 0; k < b.n; k++) {
            int32_t apart = a.at[i].tick - a.tick - (b.at[k].tick - b.tick);
            if (a.at[i].pitch == b.at[k].pitch && apart > -LIKE_TICKS && apart < LIKE_TICKS) {
                common++;
                break;
            }
        }
    return a.n + b.n ? 1 - 2.0 * (double)common / (double)(a.n + b.n) : 0;
}

struct spot { int role, bar; double cost; bool reached; };

static bool touch(const struct spot *a, const struct spot *b)
{
    int bars = a->bar - b->bar;
    return bars == 0 || (a->role == b->role && (bars == 1 || bars == -1));
}

static int list_spots(const struct request *rq, struct spot *out)
{
    struct rng rng;
    int n = 0;
    rng_init(&rng, rq->seed, STREAM_PATH);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < rq->n_bars; bar++) {
            struct notes a = notes_of(rq->from, r, rq->bar0 + bar), b = notes_of(rq->to, r, rq->bar0 + bar);
            if (!rq->keep[r][bar] && !rq->silent[r] && !same(a, b))
                out[n++] = (struct spot){ r, bar, unlike(a, b) + JITTER * rng_uniform(&rng), false };
        }
    return n;
}

/* Begin where the ends are most alike and go on to what is most alike among the neighbours: cells of a bar that
 * was reached, or the next and the last bar of a track. */
void band_path_init(struct band_path *p, const struct request *rq)
{
    struct spot spot[N_ROLES * REQUEST_MAX_BARS];
    bool near[N_ROLES * REQUEST_MAX_BARS] = { false };
    memset(p, 0, sizeof *p);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < REQUEST_MAX_BARS; bar++)
            p->place[r][bar] = -1;
    p->n = list_spots(rq, spot);
    p->front = 1 + p->n / CELLS_A_FRONT_CELL;
    p->front = p->front < FRONT_MOST ? p->front : FRONT_MOST;
    for (int place = 0; place < p->n; place++) {
        int best = -1;
        for (int i = 0; i < p->n; i++)
            if (!spot[i].reached && (best < 0 || near[i] > near[best] ||
                                     (near[i] == near[best] && spot[i].cost < spot[best].cost)))
                best = i;
        spot[best].reached = true;
        p->place[spot[best].role][spot[best].bar] = (int16_t)place;
        for (int i = 0; i < p->n; i++)
            near[i] |= touch(&spot[i], &spot[best]);
    }
}

enum path_source band_path_source(const struct band_path *p, enum role r, int bar, double mix)
{
    int place = p->place[r][bar], length = p->n + p->front;
    int at = (int)(mix * length + 0.5); /* cells the front has entered, and those it has still to leave */
    if (mix > 0 && mix < 1)
        at = at < 1 ? 1 : at > length - 1 ? length - 1 : at;
    if (place < 0 || place >= at)
        return mix < 1 ? PATH_FROM : PATH_TO;
    return place < at - p->front ? PATH_TO : PATH_ANEW;
}

/* Of one pitch, an earlier note that still sounds at `tick`, or the next onset before `end`. */
static bool sounds_at(const struct track *t, int pitch, int32_t tick)
{
    for (size_t i = 0; i < t->n && t->notes[i].tick <= tick; i++)
        if (t->notes[i].pitch == pitch && t->notes[i].tick + t->notes[i].dur > tick)
            return true;
    return false;
}

static int32_t next_onset(const struct track *t, int pitch, int32_t tick, int32_t end)
{
    for (size_t i = track_first_at(t, tick + 1); i < t->n && t->notes[i].tick < end; i++)
        if (t->notes[i].pitch == pitch)
            return t->notes[i].tick;
    return end;
}

static bool is_open(const struct request *rq, enum role r, int bar)
{
    return bar >= 0 && bar < rq->n_bars && !rq->keep[r][bar] && !rq->silent[r];
}

/* A note ends at the latest where a cell begins that comes from elsewhere. */
static int32_t run_end(const struct band_path *p, const struct request *rq, enum role r, int bar, double mix)
{
    enum path_source source = band_path_source(p, r, bar, mix);
    while (is_open(rq, r, ++bar))
        if (band_path_source(p, r, bar, mix) != source)
            return song_bar_tick(rq->song, rq->bar0 + bar);
    return SONG_MAX_TICKS;
}

/* One cell's notes out of its end; they give way to what is in the track already. */
static void fill_cell(struct notes from, int32_t to, int32_t limit, const struct track *stay,
                      struct track *t)
{
    for (size_t i = 0; i < from.n; i++) {
        struct note n = from.at[i];
        n.tick += to - from.tick;
        int32_t end = n.tick + n.dur < limit ? n.tick + n.dur : limit;
        n.dur = next_onset(stay, n.pitch, n.tick, end) - n.tick;
        if (!sounds_at(stay, n.pitch, n.tick))
            track_add(t, n);
    }
}

void band_path_fill(const struct band_path *p, const struct request *rq, double mix, struct song *s)
{
    struct song *stay = song_dup(s);
    for (int r = 0; r < N_ROLES; r++)
        for (int bar = 0; bar < rq->n_bars; bar++) {
            enum path_source source = band_path_source(p, r, bar, mix);
            if (!is_open(rq, r, bar) || source == PATH_ANEW)
                continue;
            struct notes from = notes_of(source == PATH_TO ? rq->to : rq->from, r, rq->bar0 + bar);
            fill_cell(from, song_bar_tick(s, rq->bar0 + bar), run_end(p, rq, r, bar, mix), song_track_of(stay, r),
                      song_track_of(s, r));
        }
    song_free(stay);
}
