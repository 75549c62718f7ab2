/* role.c: the five roles, General MIDI names, and the merge of a song of any layout into a band. The tables
 * are the whole rule; the code only looks things up. */
#include <string.h>
#include "role.h"
#include "song.h"
#include "str.h"

static const struct {
    const char *name;
    uint8_t program, channel;
} roles[N_ROLES] = {
    [ROLE_DRUMS] = { "Drums", 0, 9 },
    [ROLE_PIANO] = { "Piano", 0, 0 },
    [ROLE_GUITAR] = { "Guitar", 25, 1 },
    [ROLE_BASS] = { "Bass", 33, 2 },
    [ROLE_STRINGS] = { "Strings", 48, 3 },
};

/* By General MIDI family (program / 8): the LPD-5 merge. */
static const uint8_t family_role[16] = {
    ROLE_PIANO, ROLE_STRINGS, ROLE_STRINGS, ROLE_GUITAR, ROLE_BASS, ROLE_STRINGS, ROLE_STRINGS, ROLE_STRINGS,
    ROLE_STRINGS, ROLE_STRINGS, ROLE_STRINGS, ROLE_STRINGS, ROLE_NONE, ROLE_STRINGS, ROLE_NONE, ROLE_NONE,
};

static const char *const programs[128] = {
    "Acoustic Grand", "Bright Piano", "Electric Grand", "Honky-tonk", "Electric Piano 1", "Electric Piano 2",
    "Harpsichord", "Clavinet", "Celesta", "Glockenspiel", "Music Box", "Vibraphone", "Marimba", "Xylophone",
    "Tubular Bells", "Dulcimer", "Drawbar Organ", "Percussive Organ", "Rock Organ", "Church Organ", "Reed Organ",
    "Accordion", "Harmonica", "Bandoneon", "Nylon Guitar", "Steel Guitar", "Jazz Guitar", "Clean Guitar",
    "Muted Guitar", "Overdriven Guitar", "Distortion Guitar", "Guitar Harmonics", "Acoustic Bass",
    "Fingered Bass", "Picked Bass", "Fretless Bass", "Slap Bass 1", "Slap Bass 2", "Synth Bass 1", "Synth Bass 2",
    "Violin", "Viola", "Cello", "Contrabass", "Tremolo Strings", "Pizzicato Strings", "Harp", "Timpani",
    "String Ensemble 1", "String Ensemble 2", "Synth Strings 1", "Synth Strings 2", "Choir Aahs", "Voice Oohs",
    "Synth Voice", "Orchestra Hit", "Trumpet", "Trombone", "Tuba", "Muted Trumpet", "French Horn",
    "Brass Section", "Synth Brass 1", "Synth Brass 2", "Soprano Sax", "Alto Sax", "Tenor Sax", "Baritone Sax",
    "Oboe", "English Horn", "Bassoon", "Clarinet", "Piccolo", "Flute", "Recorder", "Pan Flute", "Bottle",
    "Shakuhachi", "Whistle", "Ocarina", "Square Lead", "Saw Lead", "Calliope Lead", "Chiff Lead",
    "Charang Lead", "Voice Lead", "Fifths Lead", "Bass and Lead", "New Age Pad", "Warm Pad", "Polysynth Pad",
    "Choir Pad", "Bowed Pad", "Metallic Pad", "Halo Pad", "Sweep Pad", "Rain", "Soundtrack", "Crystal",
    "Atmosphere", "Brightness", "Goblins", "Echoes", "Sci-fi", "Sitar", "Banjo", "Shamisen", "Koto", "Kalimba",
    "Bagpipe", "Fiddle", "Shanai", "Tinkle Bell", "Agogo", "Steel Drums", "Woodblock", "Taiko", "Melodic Tom",
    "Synth Drum", "Reverse Cymbal", "Fret Noise", "Breath Noise", "Seashore", "Bird Tweet", "Telephone",
    "Helicopter", "Applause", "Gunshot",
};

enum { FIRST_DRUM = 35 };
static const char *const drums[] = {
    "Kick 2", "Kick", "Side Stick", "Snare", "Clap", "Snare 2", "Low Tom 2", "Closed Hat", "Low Tom", "Pedal Hat",
    "Mid Tom 2", "Open Hat", "Mid Tom", "High Tom 2", "Crash", "High Tom", "Ride", "China", "Ride Bell",
    "Tambourine", "Splash", "Cowbell", "Crash 2", "Vibraslap", "Ride 2", "High Bongo", "Low Bongo",
    "Muted Conga", "High Conga", "Low Conga", "High Timbale", "Low Timbale", "High Agogo", "Low Agogo", "Cabasa",
    "Maracas", "Short Whistle", "Long Whistle", "Short Guiro", "Long Guiro", "Claves", "High Block", "Low Block",
    "Muted Cuica", "Open Cuica", "Muted Triangle", "Triangle",
};

const char *role_name(enum role r)
{
    return (unsigned)r < N_ROLES ? roles[r].name : "-";
}

bool role_parse(const char *text, enum role *out)
{
    size_t n = strlen(text);
    enum role found = ROLE_NONE;
    for (enum role r = 0; r < N_ROLES; r++) {
        if (str_same(text, roles[r].name)) {
            *out = r;
            return true;
        }
        if (n > 0 && strncasecmp(text, roles[r].name, n) == 0) {
            if (found != ROLE_NONE)
                return false;
            found = r;
        }
    }
    if (found == ROLE_NONE)
        return false;
    *out = found;
    return true;
}

enum role role_of_program(int program, bool is_drums)
{
    if (is_drums)
        return ROLE_DRUMS;
    return program < 0 || program > 127 ? ROLE_NONE : (enum role)family_role[program / 8];
}

uint8_t role_program(enum role r)
{
    return (unsigned)r < N_ROLES ? roles[r].program : 0;
}

uint8_t role_channel(enum role r)
{
    return (unsigned)r < N_ROLES ? roles[r].channel : 0;
}

const char *gm_program_name(int program)
{
    return program >= 0 && program < 128 ? programs[program] : "-";
}

const char *gm_drum_name(int pitch)
{
    int i = pitch - FIRST_DRUM;
    return i >= 0 && i < (int)COUNT_OF(drums) ? drums[i] : NULL;
}

/* ---- the merge ---- */

enum { DOUBLE_TICKS = SONG_TPQ / 24 };

static void copy_maps(const struct song *in, struct song *out)
{
    for (size_t i = 0; i < in->n_tempos; i++)
        song_set_tempo_usec(out, in->tempos[i].tick, in->tempos[i].usec);
    for (size_t i = 0; i < in->n_metres; i++)
        song_set_metre(out, in->metres[i].tick, in->metres[i].num, in->metres[i].den);
    for (size_t i = 0; i < in->n_keys; i++)
        song_set_key(out, in->keys[i].tick, in->keys[i].sharps, in->keys[i].minor);
    for (size_t i = 0; i < in->n_markers; i++)
        song_add_marker(out, in->markers[i].tick, in->markers[i].text);
    str_copy(out->title, sizeof(out->title), in->title);
}

/* The sound of a role is that of the track that brings most notes. */
static void take_sound(struct track *to, const struct track *from)
{
    to->program = from->program;
    to->volume = from->volume;
    to->pan = from->pan;
    to->reverb = from->reverb;
    to->chorus = from->chorus;
}

/* Two players of one role double each other a few ticks apart: such a pair is one note, from the first onset
 * to the last end. */
static void fuse_doubles(struct track *t)
{
    size_t last[128], n = 0;
    memset(last, 0xff, sizeof(last));
    track_sort(t);
    for (size_t i = 0; i < t->n; i++) {
        struct note now = t->notes[i], *before = last[now.pitch] == SIZE_MAX ? NULL : &t->notes[last[now.pitch]];
        if (before && now.tick - before->tick <= DOUBLE_TICKS) {
            int32_t end = now.tick + now.dur > before->tick + before->dur ? now.tick + now.dur
                                                                          : before->tick + before->dur;
            before->dur = end - before->tick;
            before->vel = now.vel > before->vel ? now.vel : before->vel;
            continue;
        }
        last[now.pitch] = n;
        t->notes[n++] = now;
    }
    t->n = n;
}

enum err role_band(const struct song *in, struct song **out)
{
    struct song *band = song_new_band();
    size_t most[N_ROLES] = { 0 };
    int sources[N_ROLES] = { 0 };

    copy_maps(in, band);
    for (size_t i = 0; i < in->n_tracks; i++) {
        const struct track *t = &in->tracks[i];
        if (t->role >= N_ROLES || t->n == 0)
            continue;
        struct track *to = &band->tracks[t->role];
        for (size_t j = 0; j < t->n; j++)
            track_push(to, t->notes[j]);
        sources[t->role]++;
        if (t->n > most[t->role]) {
            most[t->role] = t->n;
            take_sound(to, t);
        }
    }
    for (enum role r = 0; r < N_ROLES; r++) {
        if (sources[r] > 1)
            fuse_doubles(&band->tracks[r]);
        track_tidy(&band->tracks[r]);
    }
    *out = band;
    return ERR_OK;
}

/* ---- one track alone ---- */

/* By number, whole name, part of a name, then role; of several the one with most notes. -1 when there is none. */
static int find_track(const struct song *s, const char *text)
{
    enum role role;
    bool is_role = role_parse(text, &role);
    int64_t number;
    int best = -1, best_rank = 0;
    size_t best_n = 0;
    if (parse_int(text, 1, (int64_t)s->n_tracks, &number) == ERR_OK)
        return (int)number - 1;
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        int rank = str_same(t->name, text) ? 3 : *text && strcasestr(t->name, text) ? 2 : is_role && t->role == role ? 1 : 0;
        if (rank > 0 && t->n > 0 && (rank > best_rank || (rank == best_rank && t->n > best_n))) {
            best = (int)i;
            best_rank = rank;
            best_n = t->n;
        }
    }
    return best;
}

enum err role_follow(const struct song *in, const char *track, struct song **out)
{
    int at = find_track(in, track);
    struct str list;
    if (at >= 0 && in->tracks[at].n > 0) {
        struct song *alone = song_dup(in);
        for (size_t i = 0; i < alone->n_tracks; i++)
            if ((int)i != at)
                alone->tracks[i].n = 0;
        if (alone->tracks[at].role >= N_ROLES)
            alone->tracks[at].role = ROLE_PIANO;
        enum err err = role_band(alone, out);
        song_free(alone);
        return err;
    }
    str_init(&list);
    for (size_t i = 0; i < in->n_tracks; i++)
        if (in->tracks[i].n > 0)
            str_addf(&list, "%s%zu %s", list.len ? ", " : "", i + 1, in->tracks[i].name);
    enum err err = err_set(ERR_MISSING, "no track \"%.40s\" that plays; there are: %s", track, str_c(&list));
    str_fini(&list);
    return err;
}
