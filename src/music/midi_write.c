/* midi_write.c: a song becomes a Standard MIDI File that any reader opens: a conductor track, then a track a
 * part, 480 ticks a quarter, one channel a part. Inside a tick the order is meta, program and controllers,
 * note-offs, note-ons, and no channel ever holds one pitch twice: what would overlap is cut here. */
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "midi.h"
#include "song.h"

enum rank { RANK_META, RANK_SETUP, RANK_OFF, RANK_ON };

struct event {
    int32_t tick;
    uint8_t rank, len, bytes[3];
    uint32_t seq;           /* order of making, to keep the sort stable */
    const char *text;       /* meta events: payload follows bytes[1] */
    uint32_t text_len;
};

struct events { struct event *e; size_t n, cap; };

/* A note on its way out: which part it belongs to and the channel it sounds on. */
struct voice { struct note note; uint8_t channel; bool dropped; uint16_t part; };

struct writer {
    const struct song *song;
    const struct track *parts[SONG_MAX_TRACKS];
    uint8_t channel[SONG_MAX_TRACKS];
    int n_parts;
    struct voice *voices;   /* of all parts, by (tick, pitch, part) */
    size_t n_voices;
    struct str out;         /* the bytes */
};

/* ---- bytes ---- */

static void put(struct str *s, int byte)
{
    str_addc(s, (char)byte);
}

static void put_be(struct str *s, uint32_t v, int n)
{
    while (n-- > 0)
        put(s, (int)(v >> (8 * n) & 0xff));
}

static void put_vlq(struct str *s, uint32_t v)
{
    for (int shift = 21; shift > 0; shift -= 7)
        if (v >> shift)
            put(s, (int)(0x80 | (v >> shift & 0x7f)));
    put(s, (int)(v & 0x7f));
}

/* ---- events ---- */

static struct event *add(struct events *ev, int32_t tick, enum rank rank)
{
    ev->e = xgrow(ev->e, ev->n, &ev->cap, sizeof(*ev->e));
    ev->e[ev->n] = (struct event){ .tick = tick, .rank = (uint8_t)rank, .seq = (uint32_t)ev->n };
    return &ev->e[ev->n++];
}

static void add_message(struct events *ev, int32_t tick, enum rank rank, int status, int a, int b)
{
    struct event *e = add(ev, tick, rank);
    e->bytes[0] = (uint8_t)status;
    e->bytes[1] = (uint8_t)a;
    e->bytes[2] = (uint8_t)b;
    e->len = status >= 0xc0 && status < 0xe0 ? 2 : 3;
}

/* `text` is borrowed until the track is put. */
static void add_meta(struct events *ev, int32_t tick, int type, const void *text, size_t len)
{
    struct event *e = add(ev, tick, RANK_META);
    e->bytes[0] = 0xff;
    e->bytes[1] = (uint8_t)type;
    e->len = 2;
    e->text = text;
    e->text_len = (uint32_t)len;
}

static int event_order(const void *x, const void *y)
{
    const struct event *a = x, *b = y;
    if (a->tick != b->tick)
        return a->tick < b->tick ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank - b->rank;
    return a->seq < b->seq ? -1 : 1;
}

/* Write one track chunk of the events, sorted, and empty the list. */
static void put_track(struct str *out, struct events *ev, int32_t end)
{
    struct str body;
    int32_t now = 0;

    str_init(&body);
    if (ev->n > 1)
        qsort(ev->e, ev->n, sizeof(*ev->e), event_order);
    for (size_t i = 0; i < ev->n; i++) {
        const struct event *e = &ev->e[i];
        put_vlq(&body, (uint32_t)(e->tick - now));
        str_addn(&body, (const char *)e->bytes, e->len);
        if (e->rank == RANK_META) {
            put_vlq(&body, e->text_len);
            str_addn(&body, e->text, e->text_len);
        }
        now = e->tick;
    }
    put_vlq(&body, end > now ? (uint32_t)(end - now) : 0);
    str_addn(&body, "\xff\x2f\x00", 3);
    str_add(out, "MTrk");
    put_be(out, (uint32_t)body.len, 4);
    str_addn(out, body.p, body.len);
    str_fini(&body);
    ev->n = 0;
}

/* ---- conductor ---- */

struct metas { uint8_t (*metres)[4], (*tempos)[3], (*keys)[2]; };

static void conductor(const struct song *s, struct events *ev, struct metas *m)
{
    m->metres = xcalloc(s->n_metres + 1, sizeof(*m->metres));
    m->tempos = xcalloc(s->n_tempos + 1, sizeof(*m->tempos));
    m->keys = xcalloc(s->n_keys + 1, sizeof(*m->keys));
    add_meta(ev, 0, 0x03, s->title, strlen(s->title));
    if (s->provenance)
        add_meta(ev, 0, 0x01, s->provenance, strlen(s->provenance));
    for (size_t i = 0; i < s->n_metres; i++) {
        const struct metre *t = &s->metres[i];
        uint8_t b[4] = { t->num, (uint8_t)__builtin_ctz(t->den), (uint8_t)(t->den > 1 ? 96 / t->den : 96), 8 };
        memcpy(m->metres[i], b, sizeof(b));
        add_meta(ev, t->tick, 0x58, m->metres[i], sizeof(b));
    }
    for (size_t i = 0; i < s->n_keys; i++) {
        uint8_t b[2] = { (uint8_t)s->keys[i].sharps, s->keys[i].minor };
        memcpy(m->keys[i], b, sizeof(b));
        add_meta(ev, s->keys[i].tick, 0x59, m->keys[i], sizeof(b));
    }
    for (size_t i = 0; i < s->n_tempos; i++) {
        uint32_t u = s->tempos[i].usec;
        uint8_t b[3] = { (uint8_t)(u >> 16), (uint8_t)(u >> 8), (uint8_t)u };
        memcpy(m->tempos[i], b, sizeof(b));
        add_meta(ev, s->tempos[i].tick, 0x51, m->tempos[i], sizeof(b));
    }
    for (size_t i = 0; i < s->n_markers; i++)
        add_meta(ev, s->markers[i].tick, 0x06, s->markers[i].text, strlen(s->markers[i].text));
}

static void metas_fini(struct metas *m)
{
    free(m->metres);
    free(m->tempos);
    free(m->keys);
}

/* ---- parts ---- */

/* Drums on channel 10, the others in part order on the rest; from the sixteenth on a part shares the
 * channel of an earlier one with its program, else takes them in turn. */
static void assign_channels(struct writer *w)
{
    int next = 0;
    for (int i = 0; i < w->n_parts; i++) {
        if (w->parts[i]->role == ROLE_DRUMS || (w->parts[i]->role == ROLE_NONE && w->parts[i]->channel == 9)) {
            w->channel[i] = 9;
            continue;
        }
        int turn = next++, shared = turn % 15;
        w->channel[i] = (uint8_t)(shared < 9 ? shared : shared + 1);
        for (int j = 0; j < i && turn >= 15; j++)
            if (w->channel[j] != 9 && w->parts[j]->program == w->parts[i]->program) {
                w->channel[i] = w->channel[j];
                break;
            }
    }
}

static int voice_order(const void *x, const void *y)
{
    const struct voice *a = x, *b = y;
    if (a->note.tick != b->note.tick)
        return a->note.tick < b->note.tick ? -1 : 1;
    if (a->note.pitch != b->note.pitch)
        return a->note.pitch - b->note.pitch;
    return a->part - b->part;
}

static void gather(struct writer *w)
{
    size_t n = 0;
    for (int i = 0; i < w->n_parts; i++)
        n += w->parts[i]->n;
    w->voices = xcalloc(n + 1, sizeof(*w->voices));
    for (int i = 0; i < w->n_parts; i++)
        for (size_t j = 0; j < w->parts[i]->n; j++)
            w->voices[w->n_voices++] = (struct voice){ w->parts[i]->notes[j], w->channel[i], false, (uint16_t)i };
    qsort(w->voices, w->n_voices, sizeof(*w->voices), voice_order);
}

/* No pitch twice on a channel: the earlier note ends where the later begins; of two that begin together
 * the first part's stays, with the longer duration and the higher velocity. */
static void cut_overlaps(struct writer *w)
{
    struct voice *last[16][128] = { { NULL } };
    for (size_t i = 0; i < w->n_voices; i++) {
        struct voice *v = &w->voices[i], **slot = &last[v->channel][v->note.pitch & 127], *before = *slot;
        if (before && before->note.tick == v->note.tick) {
            before->note.dur = v->note.dur > before->note.dur ? v->note.dur : before->note.dur;
            before->note.vel = v->note.vel > before->note.vel ? v->note.vel : before->note.vel;
            v->dropped = true;
            continue;
        }
        if (before && before->note.tick + before->note.dur > v->note.tick)
            before->note.dur = v->note.tick - before->note.tick;
        *slot = v;
    }
}

static void add_setup(struct events *ev, const struct track *t, int channel)
{
    const struct { uint8_t controller, value; } mix[] = {
        { 7, t->volume }, { 10, t->pan }, { 91, t->reverb }, { 93, t->chorus },
    };
    add_message(ev, 0, RANK_SETUP, 0xc0 | channel, t->program & 127, 0);
    for (size_t i = 0; i < COUNT_OF(mix); i++)
        add_message(ev, 0, RANK_SETUP, 0xb0 | channel, mix[i].controller, mix[i].value & 127);
}

static void add_notes(struct events *ev, const struct writer *w, int part)
{
    for (size_t i = 0; i < w->n_voices; i++) {
        const struct voice *v = &w->voices[i];
        if (v->dropped || v->part != part)
            continue;
        add_message(ev, v->note.tick, RANK_ON, 0x90 | v->channel, v->note.pitch, v->note.vel);
        add_message(ev, v->note.tick + v->note.dur, RANK_OFF, 0x80 | v->channel, v->note.pitch, 64);
    }
}

/* Muted parts stay out when asked; a solo anywhere mutes the rest. */
static void choose_parts(struct writer *w, bool skip_muted)
{
    bool solo = false;
    for (size_t i = 0; i < w->song->n_tracks; i++)
        solo |= w->song->tracks[i].solo;
    for (size_t i = 0; i < w->song->n_tracks; i++) {
        const struct track *t = &w->song->tracks[i];
        if (!skip_muted || (!t->mute && (!solo || t->solo)))
            w->parts[w->n_parts++] = t;
    }
}

static int32_t last_tick(const struct song *s)
{
    int32_t end = song_end(s);
    const int32_t maps[] = {
        s->tempos[s->n_tempos - 1].tick, s->metres[s->n_metres - 1].tick,
        s->n_keys ? s->keys[s->n_keys - 1].tick : 0, s->n_markers ? s->markers[s->n_markers - 1].tick : 0,
    };
    for (size_t i = 0; i < COUNT_OF(maps); i++)
        end = maps[i] > end ? maps[i] : end;
    return end;
}

enum err midi_write(const struct song *s, const struct midi_write_opts *opts, uint8_t **out, size_t *len)
{
    int format = opts ? opts->format : 1;
    struct writer w = { .song = s };
    struct events ev = { NULL, 0, 0 };
    struct metas metas;
    int32_t end = last_tick(s);

    if (format != 0 && format != 1)
        return err_set(ERR_RANGE, "MIDI format %d cannot be written, only 0 and 1", format);
    str_init(&w.out);
    choose_parts(&w, opts && opts->skip_muted);
    assign_channels(&w);
    gather(&w);
    cut_overlaps(&w);
    str_add(&w.out, "MThd");
    put_be(&w.out, 6, 4);
    put_be(&w.out, (uint32_t)format, 2);
    put_be(&w.out, format == 0 ? 1 : (uint32_t)w.n_parts + 1, 2);
    put_be(&w.out, SONG_TPQ, 2);
    conductor(s, &ev, &metas);
    if (format == 1)
        put_track(&w.out, &ev, end);
    for (int i = 0; i < w.n_parts; i++) {
        if (format == 1)
            add_meta(&ev, 0, 0x03, w.parts[i]->name, strlen(w.parts[i]->name));
        add_setup(&ev, w.parts[i], w.channel[i]);
        add_notes(&ev, &w, i);
        if (format == 1)
            put_track(&w.out, &ev, end);
    }
    if (format == 0)
        put_track(&w.out, &ev, end);
    metas_fini(&metas);
    free(ev.e);
    free(w.voices);
    *len = w.out.len;
    *out = (uint8_t *)str_take(&w.out);
    return ERR_OK;
}

enum err midi_save(const struct song *s, const struct midi_write_opts *opts, const char *path)
{
    uint8_t *bytes = NULL;
    size_t len = 0;

    TRY(midi_write(s, opts, &bytes, &len));
    enum err err = file_write(path, bytes, len);
    free(bytes);
    return err;
}
