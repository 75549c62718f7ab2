/* midi_read.c: any bytes that resemble a Standard MIDI File become a song. Three steps: chunks are found
 * (lengths may lie, junk may lie between them), each chunk's events are listed with absolute ticks, then
 * the list is turned into parts, one for each (chunk, channel, program) that plays. Every read goes through
 * a cursor; whatever cannot be used is counted in the report, never silently lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "midi.h"
#include "song.h"

enum { MAX_CHUNKS = 4096, MAX_TEMPOS = 16384, MAX_METRES = 4096, MAX_KEYS = 4096, MAX_MARKERS = 1024,
       MAX_PROVENANCE = 4096, SUSTAIN = 64 };

static const uint8_t mix_controllers[] = { 7, 10, 91, 93 };
enum { N_MIX = COUNT_OF(mix_controllers) };

/* One event that matters to notes or sound; ticks are the file's own. */
struct event { int64_t tick; uint8_t status, a, b; };

/* What one chunk says, before it becomes parts. */
struct chunk {
    struct event *events;
    size_t n, cap;
    int64_t end;            /* tick of the end of the track */
    char name[64];
    bool named;
};

/* One track of the song in the making. */
struct part {
    int chunk, channel, program;
    int track;              /* index in the song, -1 = no room */
};

struct reader {
    const char *name;       /* for messages */
    struct song *song;
    struct midi_report *rep;
    double scale;           /* file ticks -> song ticks */
    bool smpte;
    int64_t offset;         /* song tick where the present chunk starts (format 2) */
    int chunk;              /* index of the present chunk */
    struct {                /* the first program and mix of each channel anywhere in the file */
        bool has_program, has_mix[N_MIX];
        uint8_t program, mix[N_MIX];
    } channel[16];
    struct part parts[SONG_MAX_TRACKS];
    int n_parts;
    long n_late, n_beyond, n_no_room, n_dropped_meta, n_bends;
};

void midi_report_fini(struct midi_report *r)
{
    str_fini(&r->text);
    free(r->pedals);
    memset(r, 0, sizeof(*r));
}

static int64_t scaled(const struct reader *r, int64_t tick)
{
    double t = (double)tick * r->scale + 0.5;
    return r->offset + (t < SONG_MAX_TICKS ? (int64_t)t : SONG_MAX_TICKS);
}

/* ---- text: names reach a terminal, so they become clean UTF-8 ---- */

static int utf8_len(const uint8_t *p, size_t left)
{
    int n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 :
            p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || (size_t)n > left)
        return 0;
    for (int i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool beyond = (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90);
    bool control = p[0] == 0xc2 && p[1] < 0xa0;
    return overlong || beyond || control ? 0 : n;
}

/* Copy text as UTF-8: valid sequences stay, other bytes are read as Latin-1, controls become spaces. */
static void clean_text(char *dst, size_t cap, const uint8_t *p, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; ) {
        int len = utf8_len(p + i, n - i);
        char two[2] = { (char)(0xc0 | p[i] >> 6), (char)(0x80 | (p[i] & 0x3f)) };
        const char *src = len ? (const char *)p + i : two;
        size_t out = len ? (size_t)len : 2;
        if (p[i] < 0x20 || p[i] == 0x7f || (!len && p[i] < 0xa0)) {
            src = " ";
            out = 1;
        }
        if (at + out >= cap)
            break;
        memcpy(dst + at, src, out);
        at += out;
        i += len ? (size_t)len : 1;
    }
    while (at > 0 && dst[at - 1] == ' ')
        at--;
    dst[at] = 0;
}

/* ---- events of one chunk ---- */

/* Variable-length quantity; more than four bytes is nonsense and counts as a bad event. */
static uint32_t read_vlq(struct reader *r, struct cursor *c)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t b = cursor_u8(c);
        v = v << 7 | (b & 0x7f);
        if (!(b & 0x80))
            return v;
    }
    r->rep->n_bad_events++;
    return v;
}

static void meta_text(struct reader *r, struct chunk *ch, int type, const uint8_t *p, size_t n, int64_t tick)
{
    struct song *s = r->song;
    char text[MAX_PROVENANCE];

    if (type == 0x03 && !ch->named) {
        ch->named = true;
        clean_text(ch->name, sizeof(ch->name), p, n);
        if (r->chunk == 0)
            clean_text(s->title, sizeof(s->title), p, n);
    } else if (type == 0x01 && r->chunk == 0 && !s->provenance && n >= 7 && memcmp(p, "jamroll", 7) == 0) {
        clean_text(text, sizeof(text), p, n);
        s->provenance = xstrdup(text);
    } else if (type == 0x06) {
        struct marker m;
        clean_text(m.text, sizeof(m.text), p, n);
        if (s->n_markers < MAX_MARKERS)
            song_add_marker(s, (int32_t)tick, m.text);
        else
            r->n_dropped_meta++;
    }
}

static void meta_metre(struct reader *r, const uint8_t *p, int64_t tick)
{
    if (p[0] == 0 || p[1] > 6) {
        r->rep->n_bad_events++;
    } else if (r->song->n_metres < MAX_METRES) {
        song_set_metre(r->song, (int32_t)tick, p[0], 1 << p[1]);
        r->rep->metre_told = true;
    } else {
        r->n_dropped_meta++;
    }
}

static void meta_tempo(struct reader *r, const uint8_t *p, int64_t tick)
{
    uint32_t usec = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    if (usec == 0) {
        r->rep->n_bad_events++;
    } else if (!r->smpte && r->song->n_tempos < MAX_TEMPOS) {
        song_set_tempo_usec(r->song, (int32_t)tick, usec);
        r->rep->tempo_told = true;
    } else {
        r->n_dropped_meta++;
    }
}

static void meta_key(struct reader *r, const uint8_t *p, int64_t tick)
{
    int sharps = (int8_t)p[0];
    if (sharps < -7 || sharps > 7 || p[1] > 1)
        r->rep->n_bad_events++;
    else if (r->song->n_keys < MAX_KEYS)
        song_set_key(r->song, (int32_t)tick, sharps, p[1]);
    else
        r->n_dropped_meta++;
}

static void read_meta(struct reader *r, struct chunk *ch, int type, const uint8_t *p, size_t n, int64_t file_tick)
{
    static const struct {
        uint8_t type, len;
        void (*read)(struct reader *r, const uint8_t *p, int64_t tick);
    } metas[] = { { 0x51, 3, meta_tempo }, { 0x58, 2, meta_metre }, { 0x59, 2, meta_key } };
    int64_t tick = scaled(r, file_tick);

    if (tick >= SONG_MAX_TICKS)
        return;
    for (size_t i = 0; i < COUNT_OF(metas); i++)
        if (metas[i].type == type) {
            if (n < metas[i].len)
                r->rep->n_bad_events++;
            else
                metas[i].read(r, p, tick);
            return;
        }
    if (type >= 0x01 && type <= 0x0f)
        meta_text(r, ch, type, p, n, tick);
}

static int mix_index(int controller)
{
    for (int i = 0; i < N_MIX; i++)
        if (mix_controllers[i] == controller)
            return i;
    return -1;
}

static void add_pedal(struct reader *r, const struct event *e)
{
    struct midi_report *rep = r->rep;
    int64_t tick = scaled(r, e->tick);
    if (tick >= SONG_MAX_TICKS || rep->n_pedals >= MIDI_MAX_NOTES)
        return;
    rep->pedals = xgrow(rep->pedals, rep->n_pedals, &rep->cap_pedals, sizeof(*rep->pedals));
    rep->pedals[rep->n_pedals++] = (struct midi_pedal){ (int32_t)tick, e->status & 15, e->b >= 64 };
}

static void add_event(struct reader *r, struct chunk *ch, struct event e)
{
    int kind = e.status >> 4, channel = e.status & 15;
    int mix = kind == 0xb ? mix_index(e.a) : -1;
    if (kind == 0xc && !r->channel[channel].has_program) {
        r->channel[channel].has_program = true;
        r->channel[channel].program = e.a;
    }
    if (mix >= 0 && !r->channel[channel].has_mix[mix]) {
        r->channel[channel].has_mix[mix] = true;
        r->channel[channel].mix[mix] = e.b;
    }
    if (kind == 0xb && e.a == SUSTAIN)
        add_pedal(r, &e);
    if (kind == 0xa || kind == 0xd || kind == 0xe) {
        r->n_bends++;
        return;
    }
    ch->events = xgrow(ch->events, ch->n, &ch->cap, sizeof(*ch->events));
    ch->events[ch->n++] = e;
}

/* A channel message whose status is known. A status byte among the data ends the message early. */
static void read_channel(struct reader *r, struct chunk *ch, struct cursor *c, uint8_t status, int64_t tick)
{
    bool two = status < 0xc0 || status >= 0xe0;
    uint8_t data[2] = { 0, 0 };
    for (int i = 0; i < 1 + two; i++) {
        if (cursor_left(c) > 0 && c->p[c->at] & 0x80) {
            r->rep->n_bad_events++;
            return;
        }
        data[i] = cursor_u8(c);
    }
    if (!c->bad)
        add_event(r, ch, (struct event){ tick, status, data[0], data[1] });
}

/* Skip a system message that is not sysex; none of them belongs in a file. */
static void skip_system(struct cursor *c, uint8_t status)
{
    if (status == 0xf2)
        cursor_u8(c);
    if (status >= 0xf1 && status <= 0xf3)
        cursor_u8(c);
}

/* List the events from c on; true when an end-of-track event was met. */
static bool read_events(struct reader *r, struct chunk *ch, struct cursor *c)
{
    int64_t tick = 0;
    uint8_t running = 0;

    while (cursor_left(c) > 0) {
        tick += read_vlq(r, c);
        uint8_t status = cursor_u8(c);
        if (c->bad)
            break;
        r->rep->n_events++;
        ch->end = tick;
        if (status == 0xff) {
            uint8_t type = cursor_u8(c);
            uint32_t n = read_vlq(r, c);
            const uint8_t *p = cursor_bytes(c, n);
            if (type == 0x2f)
                return true;
            if (p)
                read_meta(r, ch, type, p, n, tick);
        } else if (status == 0xf0 || status == 0xf7) {
            uint32_t n = read_vlq(r, c);
            cursor_bytes(c, n);
        } else if (status > 0xf0) {
            skip_system(c, status);
        } else if (status & 0x80) {
            running = status;
            read_channel(r, ch, c, running, tick);
        } else if (running) {
            c->at--;
            read_channel(r, ch, c, running, tick);
        } else {
            r->rep->n_bad_events++;
        }
    }
    return false;
}

/* ---- parts ---- */

static void set_mix(struct track *t, int mix, uint8_t value)
{
    uint8_t *const field[N_MIX] = { &t->volume, &t->pan, &t->reverb, &t->chorus };
    *field[mix] = value;
}

static const struct part *part_of(struct reader *r, const struct chunk *ch, int channel, int program)
{
    struct song *s = r->song;
    int chunk = r->rep->format == 2 ? 0 : r->chunk;
    bool is_drums = channel == 9, split = false;

    for (int i = 0; i < r->n_parts; i++) {
        struct part *p = &r->parts[i];
        if (p->chunk != chunk)
            continue;
        if (p->channel == channel && (is_drums || p->program == program))
            return p;
        split = true;
    }
    if (r->n_parts == SONG_MAX_TRACKS)
        return NULL;
    const char *name = ch->named && !split && r->rep->format == 1 ? ch->name :
                       is_drums ? role_name(ROLE_DRUMS) : gm_program_name(program);
    enum role role = role_of_program(program, is_drums), named;
    if (!is_drums && role_parse(name, &named) && str_same(name, role_name(named)))
        role = named; /* a track that carries a role's name is that role, whatever it sounds like */
    struct track *t = song_add_track(s, name, role);
    t->program = (uint8_t)program;
    t->channel = (uint8_t)channel;
    for (int i = 0; i < N_MIX; i++)
        if (r->channel[channel].has_mix[i])
            set_mix(t, i, r->channel[channel].mix[i]);
    r->parts[r->n_parts] = (struct part){ chunk, channel, program, (int)s->n_tracks - 1 };
    return &r->parts[r->n_parts++];
}

/* Notes of one channel of a chunk while their ends are unknown. A pitch whose ons and offs balance is paired
 * first in, first out; otherwise a lost off is likely and a new on ends the note that sounds. */
struct pairing {
    long balance[128];
    struct { struct note *open; size_t n, cap, head; int *track; size_t track_cap; } pitch[128];
};

static void close_note(struct reader *r, struct pairing *pr, int pitch, int64_t tick)
{
    size_t at = pr->pitch[pitch].head++;
    struct note n = pr->pitch[pitch].open[at];
    int64_t dur = tick - n.tick;
    n.dur = dur < 1 ? 1 : dur > SONG_MAX_TICKS ? SONG_MAX_TICKS : (int32_t)dur;
    track_push(&r->song->tracks[pr->pitch[pitch].track[at]], n);
    r->rep->n_notes++;
    if (pr->pitch[pitch].head == pr->pitch[pitch].n)
        pr->pitch[pitch].head = pr->pitch[pitch].n = 0;
}

static void open_note(struct reader *r, struct pairing *pr, int track, struct note n)
{
    int p = n.pitch;
    if (pr->pitch[p].n > pr->pitch[p].head) {
        r->rep->n_doubled++;
        if (pr->balance[p] != 0)
            while (pr->pitch[p].n > pr->pitch[p].head)
                close_note(r, pr, p, n.tick);
    }
    pr->pitch[p].open = xgrow(pr->pitch[p].open, pr->pitch[p].n, &pr->pitch[p].cap, sizeof(n));
    pr->pitch[p].track = xgrow(pr->pitch[p].track, pr->pitch[p].n, &pr->pitch[p].track_cap, sizeof(int));
    pr->pitch[p].open[pr->pitch[p].n] = n;
    pr->pitch[p].track[pr->pitch[p].n++] = track;
}

static bool is_on(const struct event *e)
{
    return e->status >> 4 == 9 && e->b > 0;
}

static bool is_off(const struct event *e)
{
    return e->status >> 4 == 8 || (e->status >> 4 == 9 && e->b == 0);
}

static void note_event(struct reader *r, const struct chunk *ch, struct pairing *pr, const struct event *e,
                       int program)
{
    int64_t tick = scaled(r, e->tick);
    int pitch = e->a & 127;

    if (is_off(e)) {
        if (pr->pitch[pitch].n > pr->pitch[pitch].head)
            close_note(r, pr, pitch, tick);
        else
            r->rep->n_orphan_offs++;
        return;
    }
    const struct part *p = part_of(r, ch, e->status & 15, program);
    if (tick >= SONG_MAX_TICKS || !p) {
        *(p ? &r->n_beyond : &r->n_no_room) += 1;
        return;
    }
    open_note(r, pr, p->track, (struct note){ (int32_t)tick, 1, (uint8_t)pitch, e->b });
}

static void balance_pitches(const struct chunk *ch, int channel, struct pairing *pr)
{
    for (size_t i = 0; i < ch->n; i++) {
        const struct event *e = &ch->events[i];
        if ((e->status & 15) == channel)
            pr->balance[e->a & 127] += is_on(e) - is_off(e);
    }
}

/* The mix a chunk gives a part: controllers up to its first note, else the first ones after it. */
static void channel_mix(struct reader *r, const struct chunk *ch, int channel, struct track *t)
{
    bool seen[N_MIX] = { false }, playing = false;
    for (size_t i = 0; i < ch->n; i++) {
        const struct event *e = &ch->events[i];
        if ((e->status & 15) != channel)
            continue;
        playing = playing || is_on(e);
        if (e->status >> 4 != 0xb)
            continue;
        int mix = mix_index(e->a);
        if (mix >= 0 && (!playing || !seen[mix])) {
            set_mix(t, mix, e->b);
            seen[mix] = true;
        } else {
            r->n_late++;
        }
    }
}

/* The first program a chunk sets on a channel; -1 when it sets none. */
static int own_program(const struct chunk *ch, int channel)
{
    for (size_t i = 0; i < ch->n; i++)
        if (ch->events[i].status == (0xc0 | channel))
            return ch->events[i].a;
    return -1;
}

/* All parts of one channel of a chunk; returns whether it plays a note. */
static bool read_notes(struct reader *r, const struct chunk *ch, int channel, struct pairing *pr)
{
    int program = own_program(ch, channel), first_part = r->n_parts;
    bool plays = false;

    if (program < 0)
        program = r->channel[channel].program;
    memset(pr->balance, 0, sizeof(pr->balance));
    balance_pitches(ch, channel, pr);
    for (size_t i = 0; i < ch->n; i++) {
        const struct event *e = &ch->events[i];
        if ((e->status & 15) != channel)
            continue;
        if (e->status >> 4 == 0xc)
            program = e->a;
        plays = plays || is_on(e);
        if (is_on(e) || is_off(e))
            note_event(r, ch, pr, e, program);
    }
    for (int p = 0; p < 128; p++)
        while (pr->pitch[p].n > pr->pitch[p].head) {
            r->rep->n_unclosed++;
            close_note(r, pr, p, scaled(r, ch->end));
        }
    for (int i = first_part; i < r->n_parts; i++)
        channel_mix(r, ch, channel, &r->song->tracks[r->parts[i].track]);
    return plays;
}

static void chunk_to_parts(struct reader *r, const struct chunk *ch)
{
    struct pairing pr = { .balance = { 0 } };
    bool used[16] = { false }, plays = false;
    int first = -1;

    for (size_t i = 0; i < ch->n; i++)
        used[ch->events[i].status & 15] = true;
    if (ch->n > 0)
        first = ch->events[0].status & 15;
    for (int c = 0; c < 16; c++)
        if (used[c])
            plays |= read_notes(r, ch, c, &pr);
    int program = first >= 0 ? own_program(ch, first) : -1;
    if (!plays && program >= 0 && r->rep->format == 1) { /* an empty part that names its sound is still a part */
        const struct part *p = part_of(r, ch, first, program);
        if (p)
            channel_mix(r, ch, first, &r->song->tracks[p->track]);
    }
    for (int p = 0; p < 128; p++) {
        free(pr.pitch[p].open);
        free(pr.pitch[p].track);
    }
}

/* ---- chunks ---- */

static bool looks_like_id(const uint8_t *p)
{
    for (int i = 0; i < 4; i++)
        if (p[i] < 0x20 || p[i] > 0x7e)
            return false;
    return true;
}

/* Offset of the next "MTrk" at or after `from`, len when there is none. */
static size_t find_track(const uint8_t *bytes, size_t len, size_t from)
{
    const uint8_t *p = from < len ? memmem(bytes + from, len - from, "MTrk", 4) : NULL;
    return p ? (size_t)(p - bytes) : len;
}

/* Read the track chunk whose data starts at `at`; returns where the next chunk starts. */
static size_t read_chunk(struct reader *r, const uint8_t *bytes, size_t len, size_t at, size_t claimed,
                         struct chunk *ch)
{
    bool fits = claimed <= len - at;
    size_t next = fits ? at + claimed : len;
    if (!fits || (next != len && (len - next < 8 || !looks_like_id(bytes + next))))
        next = find_track(bytes, len, at); /* the length lies: up to the next track, wherever that is */
    struct cursor c = { bytes, next, at, false };

    bool ended = read_events(r, ch, &c);
    if (!ended || c.bad)
        r->rep->truncated = true;
    else
        r->rep->n_skipped_bytes += (long)(next - c.at);
    return next;
}

/* Format 2: the next pattern starts at the first bar line after this one. */
static void next_pattern(struct reader *r, const struct chunk *ch)
{
    int64_t end = scaled(r, ch->end);
    if (end >= SONG_MAX_TICKS)
        end = SONG_MAX_TICKS - 1;
    int bar = song_bar_of(r->song, (int32_t)end);
    r->offset = song_bar_tick(r->song, bar) == end ? end : song_bar_tick(r->song, bar + 1);
}

static enum err read_tracks(struct reader *r, const uint8_t *bytes, size_t len, size_t at)
{
    struct midi_report *rep = r->rep;
    struct chunk *chunks = NULL;
    size_t n = 0, cap = 0;
    enum err err = ERR_OK;

    while (at < len && n < MAX_CHUNKS) {
        struct cursor c = { bytes, len, at, false };
        if (len - at < 8 || memcmp(bytes + at, "MTrk", 4) != 0) {
            size_t next = find_track(bytes, len, at);
            rep->n_skipped_bytes += (long)(next - at);
            at = next;
            if (len - at < 8)
                break;
            continue;
        }
        cursor_bytes(&c, 4);
        uint32_t claimed = cursor_be32(&c);
        chunks = xgrow(chunks, n, &cap, sizeof(*chunks));
        chunks[n] = (struct chunk){ 0 };
        r->chunk = (int)n;
        at = read_chunk(r, bytes, len, c.at, claimed, &chunks[n]);
        n++;
        if (rep->format == 2) { /* its meta events have to land where its notes will */
            chunk_to_parts(r, &chunks[n - 1]);
            next_pattern(r, &chunks[n - 1]);
        }
    }
    rep->n_chunks = (int)n;
    for (size_t i = 0; i < n && rep->format != 2; i++) {
        r->chunk = (int)i;
        chunk_to_parts(r, &chunks[i]);
    }
    if (n == 0)
        err = err_set(ERR_FORMAT, "%s: no track chunk after the header, offset %zu", r->name, at);
    for (size_t i = 0; i < n; i++)
        free(chunks[i].events);
    free(chunks);
    return err;
}

static enum err read_header(struct reader *r, const uint8_t *bytes, size_t len, size_t *at)
{
    struct midi_report *rep = r->rep;
    const uint8_t *head = memmem(bytes, len, "MThd", 4);
    if (!head)
        return err_set(ERR_FORMAT, "%s: not a MIDI file: no MThd in %zu bytes", r->name, len);
    struct cursor c = { bytes, len, (size_t)(head - bytes), false };
    rep->riff = len >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "RMID", 4) == 0;
    rep->n_skipped_bytes += rep->riff ? 0 : (long)c.at;
    cursor_bytes(&c, 4);
    uint32_t head_len = cursor_be32(&c);
    size_t body = c.at;
    rep->format = cursor_be16(&c);
    cursor_be16(&c);
    uint16_t division = cursor_be16(&c);
    if (c.bad)
        return err_set(ERR_FORMAT, "%s: header cut short at offset %zu", r->name, len);
    rep->division = (int16_t)division;
    *at = head_len >= 6 && head_len <= len - body ? body + head_len : body + 6;
    if (division & 0x8000) {
        int fps = -(int8_t)(division >> 8), sub = division & 0xff;
        double rate = fps == 29 ? 30000.0 / 1001.0 : fps;
        r->smpte = true;
        r->scale = 2.0 * SONG_TPQ / (rate * (sub ? sub : 1)); /* 120 bpm: two quarters a second */
    } else {
        r->scale = division ? (double)SONG_TPQ / division : 1.0;
    }
    return ERR_OK;
}

/* ---- the report ---- */

static void say(struct midi_report *rep, long n, const char *what)
{
    if (n > 0)
        str_addf(&rep->text, "%ld %s\n", n, what);
}

static void write_report(const struct reader *r)
{
    struct midi_report *rep = r->rep;
    if (rep->format > 2)
        str_addf(&rep->text, "unknown format %d, read as format 1\n", rep->format);
    if (rep->division == 0)
        str_add(&rep->text, "division 0, taken as 480 ticks a quarter\n");
    if (r->smpte)
        str_add(&rep->text, "SMPTE division, laid on a grid of 120 beats a minute; its tempo events are not kept\n");
    if (rep->truncated)
        str_add(&rep->text, "a track is cut short or lacks its end\n");
    say(rep, rep->n_skipped_bytes, "bytes outside the tracks skipped");
    say(rep, rep->n_bad_events, "events made no sense and were skipped");
    say(rep, rep->n_orphan_offs, "note-offs without a note skipped");
    say(rep, rep->n_doubled, "note-ons while the same note sounded: the earlier note was cut");
    say(rep, rep->n_unclosed, "notes without an end closed at the end of their track");
    say(rep, r->n_beyond, "notes lie beyond the longest song and were dropped");
    say(rep, r->n_no_room, "notes of parts beyond the 64th were dropped");
    say(rep, r->n_dropped_meta, "tempo, metre, key or marker events not kept");
    say(rep, r->n_late, "controller events not kept (pedal, expression, later mix changes)");
    say(rep, r->n_bends, "pitch bend and pressure events not kept");
}

enum err midi_read(const uint8_t *bytes, size_t len, const char *name, struct song **out,
                   struct midi_report *report)
{
    struct midi_report own = { 0 }, *rep = report ? report : &own;
    struct reader r = { .name = name, .rep = rep };
    enum err err = ERR_OK;
    size_t at = 0;

    memset(rep, 0, sizeof(*rep));
    str_init(&rep->text);
    r.song = song_new();
    if (len > MIDI_MAX_BYTES)
        TRY_OUT(err_set(ERR_RANGE, "%s: %zu bytes, at most %d are read", name, len, MIDI_MAX_BYTES));
    TRY_OUT(read_header(&r, bytes, len, &at));
    TRY_OUT(read_tracks(&r, bytes, len, at));
    if (rep->n_notes > MIDI_MAX_NOTES)
        TRY_OUT(err_set(ERR_RANGE, "%s: %ld notes, at most %d are read", name, rep->n_notes, MIDI_MAX_NOTES));
    for (size_t i = 0; i < r.song->n_tracks; i++)
        track_tidy(&r.song->tracks[i]);
    write_report(&r);
    *out = r.song;
    r.song = NULL;
out:
    song_free(r.song);
    if (!report)
        midi_report_fini(&own);
    return err;
}

enum err midi_load(const char *path, struct song **out, struct midi_report *report)
{
    uint8_t *bytes = NULL;
    size_t len = 0;

    if (report)
        memset(report, 0, sizeof(*report));
    TRY(file_read(path, MIDI_MAX_BYTES, &bytes, &len));
    enum err err = midi_read(bytes, len, strcmp(path, "-") == 0 ? "standard input" : path, out, report);
    free(bytes);
    return err;
}
