/* jam.c: the project file, .jam: versioned JSON that a person can read and diff, one note a line. Written
 * by hand for the layout, read with jansson. Bytes from a file are hostile: every number is checked
 * against its range before it is used, and nothing of the session changes until all of it was read. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "state.h"
#include "str.h"

enum { JAM_VERSION = 2, JAM_MAX_NOTES = 1 << 20 };

/* ---- writing ---- */

static void put_text(struct str *out, const char *text)
{
    json_t *j = json_stringn_nocheck(text, strlen(text));
    char *quoted = json_dumps(j, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    str_add(out, quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(j);
}

/* Numbers before `end`, backwards; the journal writes thousands of them at every edit. */
static char *put_before_end(char *end, int32_t v, char mark)
{
    *--end = mark;
    do
        *--end = (char)('0' + v % 10);
    while (v /= 10);
    return end;
}

static void put_notes(struct str *out, const struct track *t)
{
    str_add(out, "[");
    for (size_t i = 0; i < t->n; i++) {
        const struct note *n = &t->notes[i];
        char buf[64], *end = buf + sizeof buf, *p = put_before_end(end, n->vel, ']');
        *--p = ' ';
        p = put_before_end(p, n->pitch, ',');
        *--p = ' ';
        p = put_before_end(p, n->dur, ',');
        *--p = ' ';
        p = put_before_end(p, n->tick, ',');
        str_add(out, i ? ",\n    [" : "\n    [");
        str_addn(out, p, (size_t)(end - p));
    }
    str_add(out, "]");
}

static void put_flags(struct str *out, const char *name, const uint8_t flags[N_ROLES][SESSION_MAX_BARS],
                      int n_bars)
{
    str_addf(out, "\"%s\": [", name);
    for (int r = 0; r < N_ROLES; r++) {
        str_add(out, r ? ", \"" : "\"");
        for (int bar = 0; bar < n_bars; bar++)
            str_addc(out, flags[r][bar] ? 'k' : '.');
        str_addc(out, '"');
    }
    str_add(out, "]");
}

/* The band, which is the same in all sections. */
static void put_tracks(struct str *out, const struct song *song)
{
    str_add(out, " \"tracks\": [");
    for (size_t i = 0; i < song->n_tracks; i++) {
        const struct track *t = &song->tracks[i];
        str_addf(out, "%s\n  {\"role\": \"%s\", \"name\": ", i ? "," : "", role_name(t->role));
        put_text(out, t->name);
        str_addf(out,
                 ", \"program\": %d, \"channel\": %d, \"volume\": %d, \"pan\": %d, \"reverb\": %d, "
                 "\"chorus\": %d, \"mute\": %s, \"solo\": %s}",
                 t->program, t->channel, t->volume, t->pan, t->reverb, t->chorus, t->mute ? "true" : "false",
                 t->solo ? "true" : "false");
    }
    str_add(out, "],\n");
}

static void put_maps(struct str *out, const struct song *song)
{
    str_add(out, " \"tempos\": [");
    for (size_t i = 0; i < song->n_tempos; i++)
        str_addf(out, "%s[%d, %u]", i ? ", " : "", song->tempos[i].tick, song->tempos[i].usec);
    str_add(out, "],\n \"metres\": [");
    for (size_t i = 0; i < song->n_metres; i++)
        str_addf(out, "%s[%d, %d, %d]", i ? ", " : "", song->metres[i].tick, song->metres[i].num,
                 song->metres[i].den);
    str_add(out, "],\n \"keys\": [");
    for (size_t i = 0; i < song->n_keys; i++)
        str_addf(out, "%s[%d, %d, %d]", i ? ", " : "", song->keys[i].tick, song->keys[i].sharps,
                 song->keys[i].minor);
    str_add(out, "],\n \"markers\": [");
    for (size_t i = 0; i < song->n_markers; i++) {
        str_addf(out, "%s[%d, ", i ? ", " : "", song->markers[i].tick);
        put_text(out, song->markers[i].text);
        str_add(out, "]");
    }
    str_add(out, "],\n");
}

static void put_settings(struct str *out, const struct settings *o)
{
    str_add(out, " \"settings\": {\"genre\": ");
    put_text(out, o->genre);
    str_add(out, ", \"style\": ");
    put_text(out, o->style);
    str_add(out, ", \"key\": ");
    put_text(out, o->key);
    str_add(out, ", \"model\": ");
    put_text(out, o->model);
    str_addf(out,
             ", \"seed\": \"%llu\", \"temperature\": %.3f, \"batch\": %d, \"snap\": %s, "
             "\"seed_locked\": %s, \"density\": [",
             (unsigned long long)o->seed, o->temperature, o->batch, o->snap ? "true" : "false",
             o->seed_locked ? "true" : "false");
    for (int r = 0; r < N_ROLES; r++)
        str_addf(out, "%s%d", r ? ", " : "", o->density[r]);
    str_addf(out, "], \"distance\": %.2f, \"strength\": %.2f, \"lock_melody\": %s, \"remake_drums\": %s, \"range\": [",
             o->distance, o->strength, o->lock_melody ? "true" : "false", o->remake_drums ? "true" : "false");
    for (int r = 0; r < N_ROLES; r++)
        str_addf(out, "%s[%d, %d, %d]", r ? ", " : "", o->range[r].lo, o->range[r].hi, o->range[r].strict);
    str_add(out, "]},\n");
}

static void put_parts(struct str *out, const struct song *song)
{
    str_add(out, "\"parts\": [");
    for (int r = 0; r < N_ROLES; r++) {
        str_add(out, r ? ",\n   " : "\n   ");
        put_notes(out, &song->tracks[r]);
    }
    str_add(out, "]");
}

static void put_take(const struct slot *slot, int n_bars, struct str *out)
{
    const struct take *t = slot->take;
    str_addf(out, "\"number\": %u, \"seed\": \"%llu\", \"model\": ", slot->id, (unsigned long long)t->seed);
    put_text(out, t->model);
    str_add(out, ", \"hash\": ");
    put_text(out, t->hash);
    str_add(out, ", \"params\": ");
    put_text(out, t->params);
    str_addf(out, ", \"empty\": %s, \"star\": %s", t->empty ? "true" : "false", t->star ? "true" : "false");
    if (t->between[0] != NO_TAKE)
        str_addf(out, ", \"between\": [%u, %u], \"mix\": %.6f", t->between[0], t->between[1], t->mix);
    str_add(out, ",\n   ");
    put_flags(out, "mask", slot->mask, n_bars);
    str_add(out, ", ");
    put_parts(out, t->song);
    str_add(out, "}");
}

void jam_print_take(const struct tray *tray, const struct slot *slot, struct str *out)
{
    str_addf(out, "{\"section\": %u, ", tray->section);
    put_take(slot, SESSION_MAX_BARS, out);
}

static void put_takes(struct str *out, const struct tray *t, int n_bars)
{
    str_add(out, " \"takes\": [");
    for (size_t i = 0; i < t->n_slots; i++) {
        str_add(out, i ? ",\n  {" : "\n  {");
        put_take(&t->slots[i], n_bars, out);
    }
    str_add(out, "]");
}

/* Whose takes, and which there are. */
static void put_tray(struct str *out, const struct tray *t, int n_bars)
{
    (void)n_bars;
    str_addf(out, " \"id\": %u, \"tray\": [", t->section);
    for (size_t i = 0; i < t->n_slots; i++)
        str_addf(out, "%s[%u, %d]", i ? ", " : "", t->slots[i].id, t->slots[i].take->star);
    str_add(out, "]");
}

static void put_before(struct str *out, const struct tray *t, int n_bars)
{
    if (!t->base)
        return;
    str_add(out, ",\n \"before\": {");
    put_flags(out, "mask", t->mask, n_bars);
    str_add(out, ", ");
    put_parts(out, t->base);
    str_add(out, "}");
}

typedef void (*tray_fn)(struct str *, const struct tray *, int n_bars);

static void put_section(struct str *out, const struct session *s, const struct section *section, tray_fn tray)
{
    const struct sheet *sh = section->sheet;
    const struct tray *t = tray_find(s, section->id);
    str_add(out, " {\"name\": ");
    put_text(out, section->name);
    str_addf(out, ", \"bars\": %d,\n", sh->n_bars);
    put_maps(out, sh->song);
    str_addc(out, ' ');
    put_flags(out, "keep", sh->keep, sh->n_bars);
    str_addf(out, ",\n \"current\": %u, \"marks\": [%u, %u],\n ", sh->current, t->mark[0], t->mark[1]);
    put_parts(out, sh->song);
    str_add(out, ",\n");
    tray(out, t, sh->n_bars);
    put_before(out, t, sh->n_bars);
    str_add(out, "}");
}

static void print_project(const struct session *s, tray_fn tray, struct str *out)
{
    const struct state *st = &s->now;
    const struct song *song = session_sheet(s)->song;
    str_add(out, " \"title\": ");
    put_text(out, song->title);
    str_add(out, ",\n");
    put_settings(out, &s->settings);
    put_tracks(out, song);
    str_addf(out, " \"here\": %d, \"place\": %d, \"chain\": [", st->here, st->place);
    for (int i = 0; i < st->n_chain; i++)
        str_addf(out, "%s%d", i ? ", " : "", st->chain[i]);
    str_add(out, "],\n \"sections\": [\n");
    for (int i = 0; i < st->n_sections; i++) {
        str_add(out, i ? ",\n" : "");
        put_section(out, s, &st->sections[i], tray);
    }
    str_add(out, "]\n}\n");
}

void jam_print(const struct session *s, struct str *out)
{
    str_addf(out, "{\"jam\": %d,\n", JAM_VERSION);
    print_project(s, put_takes, out);
}

/* With where the session came from. */
void jam_print_light(const struct session *s, struct str *out)
{
    char *path = s->path ? realpath(s->path, NULL) : NULL; /* it may be opened from another folder */
    str_addf(out, "{\"jam\": %d,\n", JAM_VERSION);
    if (s->path) {
        str_add(out, " \"from\": ");
        put_text(out, path ? path : s->path);
        str_add(out, ",\n");
    }
    free(path);
    print_project(s, put_tray, out);
}

/* ---- reading: the first failure sticks, and says where it was ---- */

struct reader {
    const char *name;
    enum err err;
    size_t n_notes;
};

static void fail(struct reader *rd, const char *what)
{
    if (rd->err == ERR_OK)
        rd->err = err_set(ERR_FORMAT, "%s: %s", rd->name, what);
}

static int64_t number(struct reader *rd, const json_t *j, int64_t lo, int64_t hi, const char *what)
{
    if (json_is_integer(j) && json_integer_value(j) >= lo && json_integer_value(j) <= hi)
        return json_integer_value(j);
    fail(rd, what);
    return lo;
}

static int64_t number_or(struct reader *rd, const json_t *j, int64_t lo, int64_t hi, int64_t preset,
                         const char *what)
{
    return j ? number(rd, j, lo, hi, what) : preset;
}

static void text(struct reader *rd, const json_t *j, char *out, size_t cap, const char *what)
{
    if (!j)
        return;
    if (!json_is_string(j) || strlen(json_string_value(j)) != json_string_length(j))
        fail(rd, what);
    else
        str_copy(out, cap, json_string_value(j));
}

static uint64_t seed_of(struct reader *rd, const json_t *j)
{
    const char *p = json_string_value(j);
    char *end = NULL;
    uint64_t seed = p ? strtoull(p, &end, 10) : 0;
    if (!p || *p < '0' || *p > '9' || *end)
        fail(rd, "a seed is not a number");
    return seed;
}

static void notes_of(struct reader *rd, const json_t *list, struct track *t)
{
    size_t n = json_array_size(list);
    if (!json_is_array(list) || (rd->n_notes += n) > JAM_MAX_NOTES) {
        fail(rd, "a track has no list of notes, or too many");
        return;
    }
    for (size_t i = 0; i < n && rd->err == ERR_OK; i++) {
        const json_t *j = json_array_get(list, i);
        struct note note = {
            .tick = (int32_t)number(rd, json_array_get(j, 0), 0, SONG_MAX_TICKS / 2, "a note's tick"),
            .dur = (int32_t)number(rd, json_array_get(j, 1), 1, SONG_MAX_TICKS / 2, "a note's duration"),
            .pitch = (uint8_t)number(rd, json_array_get(j, 2), 0, 127, "a note's pitch"),
            .vel = (uint8_t)number(rd, json_array_get(j, 3), 1, 127, "a note's velocity"),
        };
        t->notes = xgrow(t->notes, t->n, &t->cap, sizeof *t->notes);
        t->notes[t->n++] = note;
    }
    track_sort(t);
}

static void flags_of(struct reader *rd, const json_t *list, uint8_t flags[N_ROLES][SESSION_MAX_BARS],
                     int n_bars)
{
    if (json_array_size(list) != N_ROLES)
        fail(rd, "keep flags are not one text a track");
    for (int r = 0; r < N_ROLES && rd->err == ERR_OK; r++) {
        const json_t *j = json_array_get(list, (size_t)r);
        if (!json_is_string(j) || json_string_length(j) != (size_t)n_bars)
            fail(rd, "keep flags do not fit the number of bars");
        else
            for (int bar = 0; bar < n_bars; bar++)
                flags[r][bar] = json_string_value(j)[bar] == 'k';
    }
}

static void tracks_of(struct reader *rd, const json_t *list, struct song *song)
{
    if (json_array_size(list) != N_ROLES)
        fail(rd, "a project has five tracks");
    for (size_t r = 0; r < N_ROLES && rd->err == ERR_OK; r++) {
        const json_t *j = json_array_get(list, r);
        struct track *t = &song->tracks[r];
        text(rd, json_object_get(j, "name"), t->name, sizeof t->name, "a track's name");
        struct {
            const char *name;
            uint8_t *to;
            int hi;
        } fields[] = {
            {"program", &t->program, 127}, {"channel", &t->channel, 15}, {"volume", &t->volume, 127},
            {"pan", &t->pan, 127},         {"reverb", &t->reverb, 127},  {"chorus", &t->chorus, 127},
        };
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            *fields[i].to = (uint8_t)number_or(rd, json_object_get(j, fields[i].name), 0, fields[i].hi,
                                               *fields[i].to, "a track's program, channel or mix");
        t->mute = json_is_true(json_object_get(j, "mute"));
        t->solo = json_is_true(json_object_get(j, "solo"));
    }
}

static void maps_of(struct reader *rd, const json_t *root, struct song *song)
{
    size_t i;
    json_t *j;
    json_array_foreach(json_object_get(root, "tempos"), i, j)
    {
        int32_t tick = (int32_t)number(rd, json_array_get(j, 0), 0, SONG_MAX_TICKS / 2, "a tempo's tick");
        int64_t usec = number(rd, json_array_get(j, 1), 1000, 1 << 24, "a tempo");
        song_set_tempo(song, tick, 60e6 / (double)usec);
    }
    json_array_foreach(json_object_get(root, "metres"), i, j)
    {
        int32_t tick = (int32_t)number(rd, json_array_get(j, 0), 0, SONG_MAX_TICKS / 2, "a metre's tick");
        int num = (int)number(rd, json_array_get(j, 1), 1, 64, "a metre");
        int den = (int)number(rd, json_array_get(j, 2), 1, 64, "a metre");
        if (den & (den - 1))
            fail(rd, "a metre's lower number is no power of two");
        else
            song_set_metre(song, tick, num, den);
    }
    json_array_foreach(json_object_get(root, "keys"), i, j)
    {
        int32_t tick = (int32_t)number(rd, json_array_get(j, 0), 0, SONG_MAX_TICKS / 2, "a key's tick");
        int sharps = (int)number(rd, json_array_get(j, 1), -7, 7, "a key");
        song_set_key(song, tick, sharps, number(rd, json_array_get(j, 2), 0, 1, "a key") != 0);
    }
    json_array_foreach(json_object_get(root, "markers"), i, j)
    {
        char name[64] = "";
        int32_t tick = (int32_t)number(rd, json_array_get(j, 0), 0, SONG_MAX_TICKS / 2, "a marker's tick");
        text(rd, json_array_get(j, 1), name, sizeof name, "a marker");
        song_add_marker(song, tick, name);
    }
}

static struct pitch_range range_of(struct reader *rd, const json_t *j)
{
    struct pitch_range range = {.hi = (uint8_t)number_or(rd, json_array_get(j, 1), 0, 127, 0, "a range")};
    range.lo = (uint8_t)number_or(rd, json_array_get(j, 0), 0, 127, 0, "a range");
    range.strict = number_or(rd, json_array_get(j, 2), 0, 1, 0, "a range") != 0;
    if (range.hi > 0 && range.lo + 3 > range.hi)
        fail(rd, "a range that does not go up");
    return range;
}

static double share_or(struct reader *rd, const json_t *j, double otherwise, const char *what)
{
    double x = j ? json_number_value(j) : otherwise;
    if (!(x >= 0 && x <= 1))
        fail(rd, what);
    return x;
}

static void settings_of(struct reader *rd, const json_t *j, struct settings *o)
{
    if (!j)
        return;
    text(rd, json_object_get(j, "genre"), o->genre, sizeof o->genre, "the genre");
    if (json_object_get(j, "style")) /* not in files of before there were styles */
        text(rd, json_object_get(j, "style"), o->style, sizeof o->style, "the style");
    text(rd, json_object_get(j, "key"), o->key, sizeof o->key, "the key");
    text(rd, json_object_get(j, "model"), o->model, sizeof o->model, "the model");
    o->seed = seed_of(rd, json_object_get(j, "seed"));
    double t = json_number_value(json_object_get(j, "temperature"));
    if (t < 0.05 || t > 3.0)
        fail(rd, "a temperature outside 0.05 to 3");
    else
        o->temperature = t;
    o->batch = (int)number_or(rd, json_object_get(j, "batch"), 1, 32, o->batch, "the batch");
    o->snap = json_is_true(json_object_get(j, "snap"));
    o->seed_locked = json_is_true(json_object_get(j, "seed_locked"));
    for (size_t r = 0; r < N_ROLES; r++)
        o->density[r] =
            (int)number_or(rd, json_array_get(json_object_get(j, "density"), r), -1, 7, -1, "a density");
    for (size_t r = 0; r < N_ROLES; r++)
        o->range[r] = range_of(rd, json_array_get(json_object_get(j, "range"), r));
    o->distance = share_or(rd, json_object_get(j, "distance"), o->distance, "a distance outside 0 to 1");
    o->strength = share_or(rd, json_object_get(j, "strength"), o->strength, "a strength outside 0 to 1");
    o->lock_melody = json_is_true(json_object_get(j, "lock_melody"));
    o->remake_drums = json_is_true(json_object_get(j, "remake_drums"));
}

/* A take's song is the present one with other notes. */
static struct song *parts_of(struct reader *rd, const json_t *list, const struct song *like)
{
    struct song *song = song_dup(like);
    if (json_array_size(list) != N_ROLES)
        fail(rd, "a take has five parts");
    for (size_t r = 0; r < N_ROLES && rd->err == ERR_OK; r++) {
        track_clear(&song->tracks[r], 0, SONG_MAX_TICKS);
        notes_of(rd, json_array_get(list, r), &song->tracks[r]);
    }
    return song;
}

static void take_of(struct reader *rd, const json_t *j, const struct sheet *sh, struct tray *tray)
{
    struct slot slot = {.take = xcalloc(1, sizeof *slot.take)};
    struct take *t = slot.take;
    slot.id = (uint32_t)number(rd, json_object_get(j, "number"), 1, UINT32_MAX / 2, "a take's number");
    if (slot.id <= tray->last_id)
        fail(rd, "takes are not in order");
    t->seed = seed_of(rd, json_object_get(j, "seed"));
    text(rd, json_object_get(j, "model"), t->model, sizeof t->model, "a take's model");
    text(rd, json_object_get(j, "hash"), t->hash, sizeof t->hash, "a take's hash");
    text(rd, json_object_get(j, "params"), t->params, sizeof t->params, "a take's parameters");
    t->empty = json_is_true(json_object_get(j, "empty"));
    t->star = json_is_true(json_object_get(j, "star"));
    for (size_t i = 0; i < 2; i++)
        t->between[i] = (uint32_t)number_or(rd, json_array_get(json_object_get(j, "between"), i), 0, UINT32_MAX / 2,
                                            NO_TAKE, "what a take lies between");
    t->mix = share_or(rd, json_object_get(j, "mix"), 0, "a mix outside 0 to 1");
    flags_of(rd, json_object_get(j, "mask"), slot.mask, sh->n_bars);
    t->song = parts_of(rd, json_object_get(j, "parts"), sh->song);
    t->twin = tray_find_twin(tray, t->song);
    tray->last_id = slot.id;
    tray->slots = xgrow(tray->slots, tray->n_slots, &tray->cap_slots, sizeof *tray->slots);
    tray->slots[tray->n_slots++] = slot;
}

static void takes_of(struct reader *rd, const json_t *section, struct sheet *sh, struct tray *t)
{
    const json_t *list = json_object_get(section, "takes"), *before = json_object_get(section, "before");
    if (json_array_size(list) > SESSION_MAX_TAKES)
        fail(rd, "too many takes");
    for (size_t i = 0; i < json_array_size(list) && rd->err == ERR_OK; i++)
        take_of(rd, json_array_get(list, i), sh, t);
    if (before && rd->err == ERR_OK) {
        t->base = parts_of(rd, json_object_get(before, "parts"), sh->song);
        flags_of(rd, json_object_get(before, "mask"), t->mask, sh->n_bars);
    }
    const json_t *marks = json_object_get(section, "marks");
    sh->current =
        (uint32_t)number_or(rd, json_object_get(section, "current"), 0, UINT32_MAX / 2, 0, "current");
    for (size_t i = 0; i < 2; i++)
        t->mark[i] = (uint32_t)number_or(rd, json_array_get(marks, i), 0, UINT32_MAX / 2, 0, "a mark");
    t->first_of_batch = t->last_id + 1;
}

/* Its notes are its parts, or, in files of the first version, stand in the project's tracks. */
static void section_of(struct reader *rd, const json_t *j, const json_t *tracks, struct session *s)
{
    struct state *st = &s->now;
    const json_t *parts = json_object_get(j, "parts");
    char name[SESSION_NAME] = "A";
    struct sheet *sh = sheet_new(song_dup(st->sections[0].sheet->song), 4);
    text(rd, json_object_get(j, "name"), name, sizeof name, "a section's name");
    if (!name[0] || session_find_section(s, name) >= 0)
        fail(rd, "a section without a name of its own");
    st->sections[st->n_sections++] = section_new(s, name, sh);
    sh->n_bars = (int)number(rd, json_object_get(j, "bars"), 1, SESSION_MAX_BARS, "the number of bars");
    maps_of(rd, j, sh->song);
    flags_of(rd, json_object_get(j, "keep"), sh->keep, sh->n_bars);
    if (parts && json_array_size(parts) != N_ROLES)
        fail(rd, "a section has five parts");
    for (size_t r = 0; r < N_ROLES && rd->err == ERR_OK; r++)
        notes_of(rd, parts ? json_array_get(parts, r) : json_object_get(json_array_get(tracks, r), "notes"),
                 &sh->song->tracks[r]);
    if (rd->err == ERR_OK)
        takes_of(rd, j, sh, tray_find(s, s->last_section));
}

static void chain_of(struct reader *rd, const json_t *root, struct state *st)
{
    const json_t *chain = json_object_get(root, "chain");
    size_t n = chain ? json_array_size(chain) : 1;
    if (n < 1 || n > SESSION_MAX_CHAIN) {
        fail(rd, "a chain has 1 to 64 entries");
        return;
    }
    st->n_chain = (int)n;
    for (size_t i = 0; i < n; i++)
        st->chain[i] =
            (uint8_t)number_or(rd, json_array_get(chain, i), 0, st->n_sections - 1, 0, "an entry of the chain");
    int here = (int)number_or(rd, json_object_get(root, "here"), 0, st->n_sections - 1, 0, "the section in hand");
    int place = (int)number_or(rd, json_object_get(root, "place"), -1, st->n_chain - 1, 0, "the place in hand");
    state_sit(st, here, place);
}

/* The fresh session's own section gives the band its shape; it goes when all are there. */
static void sections_of(struct reader *rd, const json_t *root, struct session *s, bool first_version)
{
    struct state *st = &s->now;
    const json_t *list = json_object_get(root, "sections"), *tracks = json_object_get(root, "tracks");
    size_t n = first_version ? 1 : json_array_size(list);
    if (n < 1 || n > SESSION_MAX_SECTIONS) {
        fail(rd, "a project has 1 to 64 sections");
        return;
    }
    st->sections[0].name[0] = '\0';
    for (size_t i = 0; i < n && rd->err == ERR_OK; i++)
        section_of(rd, first_version ? root : json_array_get(list, i), tracks, s);
    if (rd->err != ERR_OK)
        return;
    sheet_drop(st->sections[0].sheet);
    memmove(&st->sections[0], &st->sections[1], (size_t)--st->n_sections * sizeof *st->sections);
    chain_of(rd, root, st);
}

static void project_of(struct reader *rd, const json_t *root, struct session *s)
{
    struct song *band = s->now.sections[0].sheet->song;
    int version = (int)number(rd, json_object_get(root, "jam"), 1, INT32_MAX, "not a jamroll project");
    if (rd->err == ERR_OK && version > JAM_VERSION)
        fail(rd, "written by a newer jamroll");
    if (rd->err != ERR_OK)
        return;
    text(rd, json_object_get(root, "title"), band->title, sizeof band->title, "the title");
    settings_of(rd, json_object_get(root, "settings"), &s->settings);
    tracks_of(rd, json_object_get(root, "tracks"), band);
    if (rd->err == ERR_OK)
        sections_of(rd, root, s, version == 1);
}

/* Read into a fresh session and move its insides over only when all of it was good. */
enum err jam_load(struct session *s, const json_t *root, const char *name)
{
    struct reader rd = {.name = name};
    struct session *fresh = session_new();
    project_of(&rd, root, fresh);
    if (rd.err == ERR_OK)
        session_swap(s, fresh);
    session_free(fresh);
    return rd.err;
}

enum err jam_parse(struct session *s, const uint8_t *bytes, size_t len, const char *name)
{
    json_error_t where;
    json_t *root = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return err_set(ERR_FORMAT, "%s:%d: %s", name, where.line, where.text);
    enum err err = jam_load(s, root, name);
    json_decref(root);
    return err;
}
