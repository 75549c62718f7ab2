/* npz.c: pypianoroll's multitrack archives. Each track is a time x pitch matrix in CSC parts (data, indices,
 * indptr, shape), with tempo and downbeats per step and names in info.json. In such a matrix a run of cells is
 * a note, so a note that would touch the next of its pitch gives up its last step. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "npz.h"
#include "roll.h"
#include "song.h"
#include "str.h"

enum { MAX_STEPS = 1 << 22, MAX_BYTES = 64 << 20, DRUM_GATE = SONG_TPQ / 4, MAX_TEMPO_CHANGES = 16384,
       DEFAULT_VEL = 80, MAX_BEAT_STEPS = SONG_TPQ };

/* ---- writing ---- */

static enum err add_array(struct zip *z, const char *name, const struct npy *a)
{
    struct zip_entry e = { NULL, NULL, 0 };
    char file[80];
    str_format(file, sizeof(file), "%s.npy", name);
    TRY(npy_write(a, &e.data, &e.len));
    e.name = xstrdup(file);
    z->entries[z->n++] = e;
    return ERR_OK;
}

static enum err add_vector(struct zip *z, const char *name, enum npy_type type, size_t size, const void *data, size_t n,
                           bool column)
{
    struct npy a = { .type = type, .rank = column ? 2 : 1, .dim = { (int64_t)n, 1 }, .data = (void *)(uintptr_t)data,
                     .bytes = n * size };
    return add_array(z, name, &a);
}

/* Cells of one track, column by column. */
struct csc { uint8_t *data; int32_t *indices; size_t n, cap, cap_i; int32_t indptr[129]; };

static int step_of(int64_t tick, int beat_steps)
{
    return (int)((tick * beat_steps * 2 + SONG_TPQ) / (2 * SONG_TPQ));
}

static void add_column(struct csc *c, const struct track *t, int pitch, int beat_steps)
{
    int free_from = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct note *n = &t->notes[i];
        if (n->pitch != pitch)
            continue;
        int from = step_of(n->tick, beat_steps), to = step_of((int64_t)n->tick + n->dur, beat_steps);
        to = t->role == ROLE_DRUMS || to <= from ? from + 1 : to;
        for (size_t j = i + 1; j < t->n && t->notes[j].tick <= n->tick + n->dur; j++)
            if (t->notes[j].pitch == pitch && step_of(t->notes[j].tick, beat_steps) <= to && to - from > 1)
                to = step_of(t->notes[j].tick, beat_steps) - 1;
        to = to <= from ? from + 1 : to;
        for (int s = from > free_from ? from : free_from; s < to; s++) {
            c->data = xgrow(c->data, c->n, &c->cap, sizeof(*c->data));
            c->indices = xgrow(c->indices, c->n, &c->cap_i, sizeof(*c->indices));
            c->data[c->n] = n->vel;
            c->indices[c->n++] = s;
        }
        free_from = to > free_from ? to : free_from;
    }
}

static enum err add_track(struct zip *z, const struct track *t, int index, int beat_steps, int n_steps)
{
    static const char *const parts[] = { "data", "indices", "indptr", "shape" };
    struct csc c = { .n = 0 };
    int64_t shape[2] = { n_steps, 128 };
    char name[4][48];
    enum err err = ERR_OK;

    for (int i = 0; i < 4; i++)
        str_format(name[i], sizeof(name[i]), "pianoroll_%d_csc_%s", index, parts[i]);
    for (int p = 0; p < 128; p++) {
        add_column(&c, t, p, beat_steps);
        c.indptr[p + 1] = (int32_t)c.n;
    }
    TRY_OUT(add_vector(z, name[0], NPY_U1, 1, c.data, c.n, false));
    TRY_OUT(add_vector(z, name[1], NPY_I4, 4, c.indices, c.n, false));
    TRY_OUT(add_vector(z, name[2], NPY_I4, 4, c.indptr, 129, false));
    TRY_OUT(add_vector(z, name[3], NPY_I8, 8, shape, 2, false));
out:
    free(c.data);
    free(c.indices);
    return err;
}

static enum err add_time(struct zip *z, const struct song *s, int beat_steps, int n_steps)
{
    double *tempo = xcalloc((size_t)n_steps + 1, sizeof(*tempo));
    uint8_t *down = xcalloc((size_t)n_steps + 1, 1);
    enum err err = ERR_OK;

    for (int i = 0; i < n_steps; i++)
        tempo[i] = song_bpm(s, (int32_t)((int64_t)i * SONG_TPQ / beat_steps));
    for (int bar = 0; ; bar++) {
        int step = step_of(song_bar_tick(s, bar), beat_steps);
        if (step >= n_steps)
            break;
        down[step] = 1;
    }
    TRY_OUT(add_vector(z, "tempo", NPY_F8, 8, tempo, (size_t)n_steps, true));
    TRY_OUT(add_vector(z, "downbeat", NPY_BOOL, 1, down, (size_t)n_steps, true));
out:
    free(tempo);
    free(down);
    return err;
}

static enum err add_info(struct zip *z, const struct song *s, int beat_steps)
{
    json_t *info = json_object();
    char key[16];

    json_object_set_new(info, "resolution", json_integer(beat_steps));
    json_object_set_new(info, "name", json_string(s->title));
    for (size_t i = 0; i < s->n_tracks; i++) {
        const struct track *t = &s->tracks[i];
        json_t *o = json_object();
        json_object_set_new(o, "program", json_integer(t->program));
        json_object_set_new(o, "is_drum", json_boolean(t->role == ROLE_DRUMS));
        json_object_set_new(o, "name", json_string(t->name));
        str_format(key, sizeof(key), "%zu", i);
        json_object_set_new(info, key, o);
    }
    char *text = json_dumps(info, JSON_COMPACT);
    json_decref(info);
    if (!text)
        return err_set(ERR_FORMAT, "a name in the song is not UTF-8");
    z->entries[z->n++] = (struct zip_entry){ xstrdup("info.json"), (uint8_t *)text, strlen(text) };
    return ERR_OK;
}

enum err npz_save_song(const struct song *s, int beat_steps, const char *path)
{
    struct zip z = { NULL, 0 };
    uint8_t *bytes = NULL;
    size_t len = 0;
    enum err err = ERR_OK;

    if (beat_steps < 1 || beat_steps > MAX_BEAT_STEPS)
        return err_set(ERR_RANGE, "%d steps a beat, from 1 to %d are possible", beat_steps, MAX_BEAT_STEPS);
    int64_t beats = ((int64_t)song_end(s) + SONG_TPQ - 1) / SONG_TPQ;
    if (beats * beat_steps > MAX_STEPS)
        return err_set(ERR_RANGE, "%lld beats of %d steps are too many", (long long)beats, beat_steps);
    int n_steps = (int)beats * beat_steps;
    z.entries = xcalloc(4 * s->n_tracks + 3, sizeof(*z.entries));
    for (size_t i = 0; i < s->n_tracks; i++)
        TRY_OUT(add_track(&z, &s->tracks[i], (int)i, beat_steps, n_steps));
    TRY_OUT(add_time(&z, s, beat_steps, n_steps));
    TRY_OUT(add_info(&z, s, beat_steps));
    TRY_OUT(zip_write(&z, &bytes, &len));
    TRY_OUT(file_write(path, bytes, len));
out:
    free(bytes);
    zip_fini(&z);
    return err;
}

/* ---- reading ---- */

static const struct zip_entry *find_entry(const struct zip *z, const char *name)
{
    for (size_t i = 0; i < z->n; i++)
        if (strcmp(z->entries[i].name, name) == 0)
            return &z->entries[i];
    return NULL;
}

/* Number i of an array as a double (all the types that occur hold their values in one). */
static double value_at(const struct npy *a, size_t i)
{
    float f;
    double d;
    int32_t w;
    int64_t l;
    switch (a->type) {
    case NPY_F4: memcpy(&f, (char *)a->data + 4 * i, 4); return f;
    case NPY_F8: memcpy(&d, (char *)a->data + 8 * i, 8); return d;
    case NPY_I4: memcpy(&w, (char *)a->data + 4 * i, 4); return w;
    case NPY_I8: memcpy(&l, (char *)a->data + 8 * i, 8); return (double)l;
    case NPY_U1:
    case NPY_BOOL: return ((uint8_t *)a->data)[i];
    case NPY_F2: break;
    }
    return 0;
}

static size_t array_count(const struct npy *a)
{
    size_t n = 1;
    for (int i = 0; i < a->rank; i++)
        n *= (size_t)a->dim[i];
    return n;
}

static const struct zip_entry *find_array(const struct zip *z, const char *name)
{
    char file[80];
    str_format(file, sizeof(file), "%s.npy", name);
    return find_entry(z, file);
}

static enum err load_array(const struct zip *z, const char *path, const char *name, struct npy *out)
{
    char where[200];
    const struct zip_entry *e = find_array(z, name);
    if (!e)
        return err_set(ERR_FORMAT, "%s: no member %s.npy", path, name);
    str_format(where, sizeof(where), "%s: %s", path, e->name);
    TRY(npy_read(e->data, e->len, where, out));
    if (out->type == NPY_F2) {
        npy_fini(out);
        return err_set(ERR_UNSUPPORTED, "%s: half precision", where);
    }
    return ERR_OK;
}

struct cell { int32_t step; uint8_t vel; };

static int cell_order(const void *x, const void *y)
{
    const struct cell *a = x, *b = y;
    return a->step < b->step ? -1 : a->step > b->step;
}

static int32_t tick_of(int64_t step, int beat_steps)
{
    return (int32_t)((step * SONG_TPQ * 2 + beat_steps) / (2 * beat_steps));
}

/* Runs of one velocity become notes. */
static void column_notes(struct track *t, struct cell *cells, size_t n, int pitch, int beat_steps)
{
    qsort(cells, n, sizeof(*cells), cell_order);
    for (size_t i = 0; i < n; ) {
        size_t j = i + 1;
        while (j < n && cells[j].step == cells[j - 1].step + 1 && cells[j].vel == cells[i].vel)
            j++;
        int32_t from = tick_of(cells[i].step, beat_steps), to = tick_of(cells[j - 1].step + 1, beat_steps);
        if (cells[i].vel > 0)
            track_push(t, (struct note){ from, t->role == ROLE_DRUMS ? DRUM_GATE : to - from, (uint8_t)pitch,
                                         cells[i].vel });
        i = j;
    }
}

static enum err csc_notes(const char *path, struct track *t, const struct npy part[4], int beat_steps)
{
    const struct npy *data = &part[0], *indices = &part[1], *indptr = &part[2], *shape = &part[3];
    size_t n = array_count(data), at = 0;
    double steps = array_count(shape) == 2 ? value_at(shape, 0) : -1;

    if (!(steps >= 0 && steps <= MAX_STEPS) || value_at(shape, 1) != 128)
        return err_set(ERR_FORMAT, "%s: a piano roll is not time x 128", path);
    if (array_count(indices) != n || array_count(indptr) != 129)
        return err_set(ERR_FORMAT, "%s: the parts of a piano roll do not fit each other", path);
    struct cell *cells = xcalloc(n + 1, sizeof(*cells));
    for (int pitch = 0; pitch < 128; pitch++) {
        double end = value_at(indptr, (size_t)pitch + 1);
        size_t count = 0;
        if (!(end >= (double)at && end <= (double)n))
            break;
        for (; at < (size_t)end; at++) {
            double step = value_at(indices, at), vel = value_at(data, at);
            if (!(step >= 0 && step < steps))
                continue;
            int v = data->type == NPY_BOOL ? (vel > 0 ? DEFAULT_VEL : 0) : vel >= 127 ? 127 : vel > 0 ? (int)(vel + 0.5) : 0;
            cells[count++] = (struct cell){ (int32_t)step, (uint8_t)v };
        }
        column_notes(t, cells, count, pitch, beat_steps);
    }
    free(cells);
    track_tidy(t);
    return at == n ? ERR_OK : err_set(ERR_FORMAT, "%s: the columns of a piano roll do not add up", path);
}

static enum err load_track(const struct zip *z, const char *path, struct song *s, const json_t *o, int index,
                           int beat_steps)
{
    static const char *const parts[] = { "data", "indices", "indptr", "shape" };
    struct npy part[4] = { { .rank = 0 } };
    enum err err = ERR_OK;
    const char *name = json_string_value(json_object_get(o, "name"));
    json_int_t program = json_integer_value(json_object_get(o, "program"));
    bool drums = json_is_true(json_object_get(o, "is_drum"));

    program = program < 0 || program > 127 ? 0 : program;
    struct track *t = song_add_track(s, name ? name : gm_program_name((int)program),
                                     role_of_program((int)program, drums));
    t->program = (uint8_t)program;
    for (int i = 0; i < 4; i++) {
        char member[48];
        str_format(member, sizeof(member), "pianoroll_%d_csc_%s", index, parts[i]);
        TRY_OUT(load_array(z, path, member, &part[i]));
    }
    TRY_OUT(csc_notes(path, t, part, beat_steps));
out:
    for (int i = 0; i < 4; i++)
        npy_fini(&part[i]);
    return err;
}

static void set_tempos(struct song *s, const struct npy *a, int beat_steps)
{
    size_t n = array_count(a);
    double last = 0;
    for (size_t i = 0; i < n && i < MAX_STEPS && s->n_tempos < MAX_TEMPO_CHANGES; i++) {
        double bpm = value_at(a, i);
        if (bpm >= 4 && bpm <= 1000 && fabs(bpm - last) > 1e-3) {
            song_set_tempo(s, tick_of((int64_t)i, beat_steps), bpm);
            last = bpm;
        }
    }
}

/* Metres in quarters, from the distances of the downbeats. */
static void set_metres(struct song *s, const struct npy *a, int beat_steps)
{
    size_t n = array_count(a), last = 0;
    int quarters = 0;
    bool any = false;
    for (size_t i = 0; i < n && i < MAX_STEPS && s->n_metres < MAX_TEMPO_CHANGES; i++) {
        if (value_at(a, i) == 0)
            continue;
        size_t gap = i - last;
        if (any && gap % (size_t)beat_steps == 0 && gap / (size_t)beat_steps <= 32 &&
            (int)(gap / (size_t)beat_steps) != quarters) {
            quarters = (int)(gap / (size_t)beat_steps);
            song_set_metre(s, tick_of((int64_t)last, beat_steps), quarters, 4);
        }
        last = i;
        any = true;
    }
}

static enum err load_time(const struct zip *z, const char *path, struct song *s, int beat_steps)
{
    static const struct { const char *name; void (*set)(struct song *s, const struct npy *a, int beat_steps); } rows[] = {
        { "tempo", set_tempos }, { "downbeat", set_metres },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct npy a = { .rank = 0 };
        if (!find_array(z, rows[i].name))
            continue;
        TRY(load_array(z, path, rows[i].name, &a));
        rows[i].set(s, &a, beat_steps);
        npy_fini(&a);
    }
    return ERR_OK;
}

static enum err load_all(const struct zip *z, const char *path, struct song *s, json_t **info)
{
    const struct zip_entry *e = find_entry(z, "info.json");
    json_error_t bad;
    char key[16];

    if (!e)
        return err_set(ERR_FORMAT, "%s: no info.json: not a pypianoroll archive", path);
    *info = json_loadb((const char *)e->data, e->len, 0, &bad);
    if (!json_is_object(*info))
        return err_set(ERR_FORMAT, "%s: info.json: %s", path, *info ? "not an object" : bad.text);
    const json_t *res = json_object_get(*info, "resolution");
    json_int_t steps = json_integer_value(res ? res : json_object_get(*info, "beat_resolution"));
    if (steps < 1 || steps > MAX_BEAT_STEPS)
        return err_set(ERR_FORMAT, "%s: %lld steps a beat", path, (long long)steps);
    const char *name = json_string_value(json_object_get(*info, "name"));
    str_copy(s->title, sizeof(s->title), name ? name : "");
    for (int i = 0; i < SONG_MAX_TRACKS; i++) {
        str_format(key, sizeof(key), "%d", i);
        const json_t *o = json_object_get(*info, key);
        if (!o)
            break;
        TRY(load_track(z, path, s, o, i, (int)steps));
    }
    return load_time(z, path, s, (int)steps);
}

enum err npz_parse_song(const uint8_t *bytes, size_t len, const char *name, struct song **out)
{
    struct zip z;
    json_t *info = NULL;

    TRY(zip_read(bytes, len, name, &z));
    struct song *s = song_new();
    enum err err = load_all(&z, name, s, &info);
    json_decref(info);
    zip_fini(&z);
    if (err == ERR_OK)
        *out = s;
    else
        song_free(s);
    return err;
}

enum err npz_load_song(const char *path, struct song **out)
{
    uint8_t *bytes = NULL;
    size_t len = 0;

    TRY(file_read(path, MAX_BYTES, &bytes, &len));
    enum err err = npz_parse_song(bytes, len, path, out);
    free(bytes);
    return err;
}

/* ---- rolls ---- */

enum err npy_save_roll(const struct roll *r, const char *path)
{
    size_t n = (size_t)r->n_tracks * (size_t)roll_steps(r) * (size_t)r->n_pitches, len = 0;
    struct npy a = { .type = NPY_U1, .rank = 3, .dim = { r->n_tracks, roll_steps(r), r->n_pitches }, .bytes = n };
    uint8_t *bytes = NULL;

    TRY(mem_try_alloc(n + 1, 1, &a.data));
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)a.data)[i] = r->cell[i] != CELL_OFF;
    enum err err = npy_write(&a, &bytes, &len);
    if (err == ERR_OK)
        err = file_write(path, bytes, len);
    free(bytes);
    npy_fini(&a);
    return err;
}
