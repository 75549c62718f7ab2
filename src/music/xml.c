/* xml.c: see xml.h. score.c decides what is written; this file knows the format. Elements come in the order of
 * the schema, which is strict. No date, no locale, no pointer reaches the bytes. */
#include "xml.h"

#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "score.h"
#include "song.h"
#include "str.h"
#include "theory.h"

/* Pitches 35 to 81 of the kit on the staff: step, octave, and a cross for what is struck on metal. */
struct place_on_staff {
    char step, octave;
    bool cross;
};
enum { KIT_LOW = 35 };
/* clang-format off */
static const struct place_on_staff kit[] = {
    {'E', 4, 0}, {'F', 4, 0}, {'C', 5, 1}, {'C', 5, 0}, {'C', 5, 1}, {'C', 5, 0}, {'G', 4, 0}, {'G', 5, 1}, /* 35 */
    {'A', 4, 0}, {'D', 4, 1}, {'B', 4, 0}, {'G', 5, 1}, {'D', 5, 0}, {'E', 5, 0}, {'A', 5, 1}, {'E', 5, 0}, /* 43 */
    {'F', 5, 1}, {'B', 5, 1}, {'F', 5, 1}, {'G', 5, 1}, {'B', 5, 1}, {'E', 5, 1}, {'A', 5, 1}, {'D', 5, 1}, /* 51 */
    {'F', 5, 1}, {'D', 5, 0}, {'B', 4, 0}, {'D', 5, 0}, {'D', 5, 0}, {'A', 4, 0}, {'E', 5, 0}, {'C', 5, 0}, /* 59 */
    {'G', 5, 1}, {'E', 5, 1}, {'B', 4, 1}, {'B', 4, 1}, {'A', 5, 1}, {'A', 5, 1}, {'C', 5, 1}, {'C', 5, 1}, /* 67 */
    {'E', 5, 1}, {'F', 5, 0}, {'D', 5, 0}, {'E', 5, 0}, {'D', 5, 0}, {'B', 5, 1}, {'B', 5, 1},              /* 75 */
};
/* clang-format on */

static struct place_on_staff kit_place(int pitch)
{
    bool known = pitch >= KIT_LOW && pitch < KIT_LOW + (int)COUNT_OF(kit);
    return known ? kit[pitch - KIT_LOW] : (struct place_on_staff){'C', 5, true};
}

struct writer {
    struct str *out;
    const struct song *song;
    struct score score;
    struct keysig heard; /* where the song names no key */
    struct part part; /* at hand */
    int number; /* of it, from 1 */
    bool drums;
    int sharps; /* of the key in force: how pitches are spelled */
    size_t cursor[SCORE_VOICES];
    size_t tempo, marker; /* next to be written */
};

/* ---- text ---- */

/* Length of the UTF-8 character at p that XML permits, 0 for anything else. */
static int utf8_len(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    int n = u[0] < 0x80 ? 1 : u[0] >> 5 == 6 ? 2 : u[0] >> 4 == 14 ? 3 : u[0] >> 3 == 30 ? 4 : 0;
    uint32_t c = n == 1 ? u[0] : u[0] & (0x7fu >> n);
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    for (int i = 1; i < n; i++) {
        if (u[i] >> 6 != 2)
            return 0;
        c = c << 6 | (u[i] & 0x3f);
    }
    bool legal = n > 0 && c >= least[n] && c <= 0x10ffff && (c >= 0x20 || c == '\t') && c != 0x7f &&
                 (c < 0xd800 || c > 0xdfff) && c != 0xfffe && c != 0xffff;
    return legal ? n : 0;
}

static void put_text(struct str *out, const char *text)
{
    static const struct {
        char c;
        const char *as;
    } escapes[] = {
        {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&apos;"},
    };
    while (*text) {
        int n = utf8_len(text);
        const char *as = n ? NULL : "?";
        for (size_t i = 0; i < COUNT_OF(escapes); i++)
            if (*text == escapes[i].c)
                as = escapes[i].as;
        if (as)
            str_add(out, as);
        else
            str_addn(out, text, (size_t)n);
        text += n ? n : 1;
    }
}

static void put_element(struct str *out, const char *name, const char *text)
{
    str_addf(out, "<%s>", name);
    put_text(out, text);
    str_addf(out, "</%s>", name);
}

/* ---- part list ---- */

static bool is_drums(const struct track *t)
{
    return t->role == ROLE_DRUMS || t->channel == 9;
}

static const char *track_name(const struct track *t)
{
    return t->name[0] ? t->name : is_drums(t) ? "Drums" : gm_program_name(t->program);
}

static void put_instrument(struct str *out, int part, int pitch, const char *name)
{
    str_addf(out, "      <score-instrument id=\"P%d-I%d\">", part, pitch);
    put_element(out, "instrument-name", name);
    str_add(out, "</score-instrument>\n");
}

static void put_midi(struct str *out, int part, int instrument, const struct track *t, int unpitched)
{
    str_addf(out,
             "      <midi-instrument id=\"P%d-I%d\"><midi-channel>%d</midi-channel>"
             "<midi-program>%d</midi-program>",
             part, instrument, t->channel + 1, t->program + 1);
    if (unpitched)
        str_addf(out, "<midi-unpitched>%d</midi-unpitched>", unpitched);
    str_addf(out, "<volume>%d</volume><pan>%d</pan></midi-instrument>\n", (t->volume * 100 + 63) / 127,
             (t->pan - 64) * 90 / 64);
}

/* A pitched part has one instrument, I0; the kit one for each piece that is struck. */
static void put_score_part(struct str *out, int number, const struct track *t)
{
    bool used[128] = {false};
    str_addf(out, "    <score-part id=\"P%d\">\n      ", number);
    put_element(out, "part-name", track_name(t));
    str_add(out, "\n");
    if (!is_drums(t)) {
        put_instrument(out, number, 0, gm_program_name(t->program));
        put_midi(out, number, 0, t, 0);
    } else {
        for (size_t i = 0; i < t->n; i++)
            used[t->notes[i].pitch & 127] = true;
        for (int p = 0; p < 128; p++)
            if (used[p])
                put_instrument(out, number, p, gm_drum_name(p) ? gm_drum_name(p) : "Percussion");
        for (int p = 0; p < 128; p++)
            if (used[p])
                put_midi(out, number, p, t, p + 1);
    }
    str_add(out, "    </score-part>\n");
}

/* ---- notes ---- */

/* Spelled on the line of fifths, from three below the key's tonic to eight above: in C, E flat to G sharp. */
static void put_pitch(struct writer *w, int pitch)
{
    int fifth = w->sharps - 3;
    while ((7 * fifth + 12 * 12 - pitch) % 12)
        fifth++;
    int turn = fifth + 1 + 7 * 3, alter = turn / 7 - 3, octave = (pitch - alter + 12) / 12 - 2;
    str_addf(w->out, "<pitch><step>%c</step>", "FCGDAEB"[turn % 7]);
    if (alter)
        str_addf(w->out, "<alter>%d</alter>", alter);
    str_addf(w->out, "<octave>%d</octave></pitch>", octave < 0 ? 0 : octave > 9 ? 9 : octave);
}

static void put_sound(struct writer *w, int pitch)
{
    struct place_on_staff at = kit_place(pitch);
    if (w->drums)
        str_addf(w->out,
                 "<unpitched><display-step>%c</display-step><display-octave>%d</display-octave></unpitched>",
                 at.step, at.octave);
    else
        put_pitch(w, pitch);
}

static void put_sign(struct writer *w, const struct piece *p, bool cross)
{
    static const char *const names[] = {"whole", "half", "quarter", "eighth", "16th"};
    str_addf(w->out, "<type>%s</type>", names[p->sign]);
    for (int i = 0; i < p->dots; i++)
        str_add(w->out, "<dot/>");
    if (p->triplet)
        str_add(w->out, "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes>"
                        "</time-modification>");
    if (cross)
        str_add(w->out, "<notehead>x</notehead>");
}

/* Ties and brackets, as the eye sees them. */
static void put_notations(struct writer *w, const struct piece *p, bool tied, bool ties, bool head)
{
    bool opens = head && p->opens, closes = head && p->closes;
    if (!(tied || ties || opens || closes))
        return;
    str_addf(w->out, "<notations>%s%s%s%s</notations>", tied ? "<tied type=\"stop\"/>" : "",
             ties ? "<tied type=\"start\"/>" : "", opens ? "<tuplet type=\"start\"/>" : "",
             closes ? "<tuplet type=\"stop\"/>" : "");
}

static void put_note(struct writer *w, const struct chord *c, uint32_t i, const struct piece *p, bool tied,
                     bool ties)
{
    const struct score_note *n = &w->part.notes[c->first + i];
    int loud = (n->vel * 10000 + 45) / 90; /* percent of forte, which is velocity 90 */
    str_addf(w->out, "      <note dynamics=\"%d.%02d\">%s", loud / 100, loud % 100, i ? "<chord/>" : "");
    put_sound(w, n->pitch);
    str_addf(w->out, "<duration>%d</duration>%s%s", p->len, tied ? "<tie type=\"stop\"/>" : "",
             ties ? "<tie type=\"start\"/>" : "");
    if (w->drums) /* a part of one instrument does not name it: some programs would take rests for a change */
        str_addf(w->out, "<instrument id=\"P%d-I%d\"/>", w->number, n->pitch);
    str_addf(w->out, "<voice>%d</voice>", c->voice + 1);
    put_sign(w, p, w->drums && kit_place(n->pitch).cross);
    put_notations(w, p, tied, ties, i == 0);
    str_add(w->out, "</note>\n");
}

static void put_chord(struct writer *w, const struct score_bar *bar, const struct chord *c, int32_t from,
                      int32_t to)
{
    while (from < to) {
        struct piece p = part_piece(bar, &w->part, from, to);
        for (uint32_t i = 0; i < c->n; i++)
            put_note(w, c, i, &p, from > c->from, from + p.len < c->to);
        from += p.len;
    }
}

/* Rests of the voices beside the first take time and no ink. */
static void put_rest(struct writer *w, const struct score_bar *bar, int voice, int32_t from, int32_t to)
{
    const char *open = voice ? "      <note print-object=\"no\">" : "      <note>";
    if (to - from == bar->len) {
        str_addf(w->out, "%s<rest measure=\"yes\"/><duration>%d</duration><voice>%d</voice></note>\n", open,
                 bar->len, voice + 1);
        return;
    }
    while (from < to) {
        struct piece p = part_piece(bar, &w->part, from, to);
        str_addf(w->out, "%s<rest/><duration>%d</duration><voice>%d</voice>", open, p.len, voice + 1);
        put_sign(w, &p, false);
        put_notations(w, &p, false, false, true);
        str_add(w->out, "</note>\n");
        from += p.len;
    }
}

static void put_voice(struct writer *w, const struct score_bar *bar, int voice)
{
    int32_t at = bar->from, end = bar->from + bar->len;
    size_t *next = &w->cursor[voice];
    while (*next < w->part.voice[voice + 1] && w->part.chords[*next].from < end) {
        const struct chord *c = &w->part.chords[*next];
        int32_t from = c->from > at ? c->from : at, to = c->to < end ? c->to : end;
        if (from > at)
            put_rest(w, bar, voice, at, from);
        put_chord(w, bar, c, from, to);
        at = to;
        if (c->to > end)
            break;
        ++*next;
    }
    if (at < end)
        put_rest(w, bar, voice, at, end);
}

/* ---- bars ---- */

static void put_clef(struct writer *w)
{
    int64_t sum = 0;
    for (size_t i = 0; i < w->part.n_notes; i++)
        sum += w->part.notes[i].pitch;
    bool low = sum < (int64_t)w->part.n_notes * 57;
    str_add(w->out, w->drums ? "<clef><sign>percussion</sign></clef>"
                    : low    ? "<clef><sign>F</sign><line>4</line></clef>"
                             : "<clef><sign>G</sign><line>2</line></clef>");
}

static struct keysig hear_key(const struct song *s)
{
    struct key k = song_key(s, 0, SONG_MAX_TICKS, NULL);
    return k.tonic >= 0 ? (struct keysig){0, (int8_t)key_sharps(k), k.minor} : (struct keysig){0};
}

static struct keysig key_at(const struct writer *w, int32_t tick)
{
    struct keysig k = w->heard;
    for (size_t i = 0; i < w->song->n_keys && (i == 0 || w->song->keys[i].tick <= tick); i++)
        k = w->song->keys[i];
    return k;
}

static bool fits_metre(const struct score_bar *bar, struct metre m)
{
    return bar->len * m.den == m.num * 4 * SCORE_QUARTER;
}

/* What differs from the bar before; all of it in the first. Changes inside a bar count from the next on. */
static void put_attributes(struct writer *w, int i)
{
    const struct score_bar *bar = &w->score.bars[i];
    int32_t before = i ? w->score.bars[i - 1].tick : 0;
    struct metre m = song_metre(w->song, bar->tick), old = song_metre(w->song, before);
    struct keysig k = key_at(w, bar->tick), was = key_at(w, before);
    bool new_key = i == 0 || (!w->drums && (k.sharps != was.sharps || k.minor != was.minor));
    bool new_metre = i == 0 || m.num != old.num || m.den != old.den;
    w->sharps = k.sharps;
    if (!new_key && !new_metre)
        return;
    str_add(w->out, "      <attributes>");
    if (i == 0)
        str_addf(w->out, "<divisions>%d</divisions>", SCORE_QUARTER);
    if (new_key)
        str_addf(w->out, "<key><fifths>%d</fifths><mode>%s</mode></key>", w->drums ? 0 : k.sharps,
                 k.minor ? "minor" : "major");
    if (new_metre)
        str_addf(w->out, "<time><beats>%d</beats><beat-type>%d</beat-type></time>", m.num, m.den);
    if (i == 0)
        put_clef(w);
    str_add(w->out, "</attributes>\n");
}

static void put_direction(struct writer *w, const struct score_bar *bar, int32_t tick, const char *words,
                          uint32_t usec)
{
    int32_t offset = score_unit(&w->score, tick) - bar->from;
    str_add(w->out, "      <direction placement=\"above\"><direction-type>");
    if (words)
        put_element(w->out, "words", words);
    uint64_t milli = usec ? (60000000000ull + usec / 2) / usec : 0; /* thousandths of a beat a minute */
    char bpm[32];
    str_format(bpm, sizeof bpm, "%llu.%03llu", (unsigned long long)milli / 1000,
               (unsigned long long)milli % 1000);
    while (bpm[0] && (str_ends(bpm, "0") || str_ends(bpm, "."))) {
        bool point = str_ends(bpm, ".");
        bpm[strlen(bpm) - 1] = '\0';
        if (point)
            break;
    }
    if (usec)
        str_addf(w->out, "<metronome><beat-unit>quarter</beat-unit><per-minute>%s</per-minute></metronome>",
                 bpm);
    str_add(w->out, "</direction-type>");
    if (offset)
        str_addf(w->out, "<offset sound=\"yes\">%d</offset>", offset);
    if (usec)
        str_addf(w->out, "<sound tempo=\"%s\"/>", bpm);
    str_add(w->out, "</direction>\n");
}

/* Tempo and markers stand in the first part, above the bar they belong to. Of several tempos at one place the
 * last is in force. */
static void put_directions(struct writer *w, int i)
{
    const struct song *s = w->song;
    const struct score_bar *bar = &w->score.bars[i];
    int32_t end = i + 1 < w->score.n_bars ? w->score.bars[i + 1].tick : INT32_MAX;
    if (w->number != 1)
        return;
    for (; w->tempo < s->n_tempos && s->tempos[w->tempo].tick < end; w->tempo++) {
        const struct tempo *t = &s->tempos[w->tempo];
        bool last = w->tempo + 1 == s->n_tempos || t[1].tick >= end ||
                    score_unit(&w->score, t[1].tick) != score_unit(&w->score, t->tick);
        if (last)
            put_direction(w, bar, t->tick, NULL, t->usec);
    }
    for (; w->marker < s->n_markers && s->markers[w->marker].tick < end; w->marker++)
        put_direction(w, bar, s->markers[w->marker].tick, s->markers[w->marker].text, 0);
}

static bool voice_sounds(const struct writer *w, const struct score_bar *bar, int voice)
{
    size_t next = w->cursor[voice];
    return next < w->part.voice[voice + 1] && w->part.chords[next].from < bar->from + bar->len;
}

static void put_measure(struct writer *w, int i)
{
    const struct score_bar *bar = &w->score.bars[i];
    bool whole = fits_metre(bar, song_metre(w->song, bar->tick));
    str_addf(w->out, "    <measure number=\"%d\"%s>\n", i + 1, whole ? "" : " implicit=\"yes\"");
    put_attributes(w, i);
    put_directions(w, i);
    put_voice(w, bar, 0);
    for (int v = 1; v < SCORE_VOICES; v++)
        if (voice_sounds(w, bar, v)) {
            str_addf(w->out, "      <backup><duration>%d</duration></backup>\n", bar->len);
            put_voice(w, bar, v);
        }
    str_add(w->out, "    </measure>\n");
}

static void put_part(struct writer *w, const struct track *t)
{
    w->drums = is_drums(t);
    w->number++;
    part_new(&w->score, t, w->drums, &w->part);
    memcpy(w->cursor, w->part.voice, sizeof w->cursor);
    str_addf(w->out, "  <part id=\"P%d\">\n", w->number);
    for (int i = 0; i < w->score.n_bars; i++)
        put_measure(w, i);
    str_add(w->out, "  </part>\n");
    part_fini(&w->part);
}

static void put_head(struct writer *w)
{
    str_add(w->out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
                    "<!DOCTYPE score-partwise PUBLIC \"-//Recordare//DTD MusicXML 4.0 Partwise//EN\" "
                    "\"http://www.musicxml.org/dtds/partwise.dtd\">\n"
                    "<score-partwise version=\"4.0\">\n");
    if (w->song->title[0]) {
        str_add(w->out, "  <work>");
        put_element(w->out, "work-title", w->song->title);
        str_add(w->out, "</work>\n");
    }
    str_add(w->out, "  <identification><encoding><software>jamroll " JAMROLL_VERSION "</software></encoding>"
                    "</identification>\n  <part-list>\n");
    int number = 0;
    for (size_t i = 0; i < w->song->n_tracks; i++)
        if (w->song->tracks[i].n > 0)
            put_score_part(w->out, ++number, &w->song->tracks[i]);
    str_add(w->out, "  </part-list>\n");
}

enum err xml_write(const struct song *s, struct str *out)
{
    struct writer w = {.out = out, .song = s, .heard = hear_key(s)};
    if (song_end(s) == 0)
        return err_set(ERR_EMPTY, "there are no notes to write down");
    TRY(score_new(s, &w.score));
    put_head(&w);
    for (size_t i = 0; i < s->n_tracks; i++)
        if (s->tracks[i].n > 0)
            put_part(&w, &s->tracks[i]);
    str_add(out, "</score-partwise>\n");
    score_fini(&w.score);
    return ERR_OK;
}

enum err xml_save(const struct song *s, const char *path)
{
    struct str text = {0};
    enum err err = xml_write(s, &text);
    if (err == ERR_OK)
        err = file_write(path, text.p, text.len);
    str_fini(&text);
    return err;
}
