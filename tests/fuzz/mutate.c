/* mutate.c: thousands of damaged MIDI, npz and safetensors files against the readers. Every mutant must come
 * back as a song (or a weight file) that can be walked to its end, or as an error of the right kind with a
 * text; build it with sanitizers to make "no overrun" part of that. Seeded: the same run every time.
 *
 *     mutate [COUNT [SEED]]     2000 mutants of each kind by default; exit status 1 on the first fault */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "file.h"
#include "import.h"
#include "mem.h"
#include "midi.h"
#include "npz.h"
#include "rng.h"
#include "song.h"

enum { SECONDS_EACH = 10, N_SEED_FILES = 4 };

struct bytes { uint8_t *p; size_t n; };

/* ---- valid files to start from ---- */

static struct song *some_song(struct rng *r)
{
    struct song *s = song_new_band();
    str_copy(s->title, sizeof(s->title), "mutant");
    song_set_tempo(s, 960, 97);
    song_set_metre(s, 1920, 3, 4);
    song_set_key(s, 0, -3, true);
    song_add_marker(s, 480, "verse");
    for (size_t t = 0; t < s->n_tracks; t++) {
        for (int i = 0; i < 40; i++)
            track_push(&s->tracks[t], (struct note){ (int32_t)rng_below(r, 96) * 40, 40 * (1 + (int32_t)rng_below(r, 12)),
                                                     (uint8_t)rng_below(r, 128), (uint8_t)(1 + rng_below(r, 127)) });
        track_tidy(&s->tracks[t]);
    }
    return s;
}

static enum err seed_midi(struct rng *r, const char *path, struct bytes *out)
{
    (void)path;
    struct song *s = some_song(r);
    struct midi_write_opts o = { .format = (int)rng_below(r, 2) };
    enum err err = midi_write(s, &o, &out->p, &out->n);
    song_free(s);
    return err;
}

static enum err seed_npz(struct rng *r, const char *path, struct bytes *out)
{
    struct song *s = some_song(r);
    enum err err = npz_save_song(s, 12, path);
    song_free(s);
    return err != ERR_OK ? err : file_read(path, 1 << 24, &out->p, &out->n);
}

static enum err seed_safetensors(struct rng *r, const char *path, struct bytes *out)
{
    struct ckpt_writer *w = ckpt_writer_new();
    float data[60];
    for (size_t i = 0; i < COUNT_OF(data); i++)
        data[i] = rng_normal(r);
    ckpt_writer_meta(w, "format", "test");
    ckpt_writer_meta(w, "note", "quotes \" and \\ and \xc3\xa9");
    ckpt_writer_add(w, "layer.weight", F32, (struct shape){ .rank = 2, .dim = { 4, 15 } }, data);
    ckpt_writer_add(w, "layer.bias", F32, (struct shape){ .rank = 1, .dim = { 15 } }, data);
    TRY(ckpt_writer_save(w, path));
    return file_read(path, 1 << 24, &out->p, &out->n);
}

/* ---- mutations ---- */

/* Replace the middle of b: [at, at + cut) becomes n bytes of `with`. */
static void replace(struct bytes *b, size_t at, size_t cut, const uint8_t *with, size_t n)
{
    uint8_t *p = xmalloc(b->n - cut + n + 1);
    memcpy(p, b->p, at);
    memcpy(p + at, with, n);
    memcpy(p + at + n, b->p + at + cut, b->n - at - cut);
    b->n = b->n - cut + n;
    free(b->p);
    b->p = p;
}

static void flip_bits(struct bytes *b, struct rng *r, const struct bytes *other)
{
    (void)other;
    for (uint32_t k = 1 + rng_below(r, 8); k > 0; k--)
        b->p[rng_below(r, (uint32_t)b->n)] ^= (uint8_t)(1 << rng_below(r, 8));
}

static void cut_end(struct bytes *b, struct rng *r, const struct bytes *other)
{
    (void)other;
    b->n = rng_below(r, (uint32_t)b->n + 1);
}

static void insert_noise(struct bytes *b, struct rng *r, const struct bytes *other)
{
    uint8_t noise[64];
    (void)other;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)rng_u32(r);
    replace(b, rng_below(r, (uint32_t)b->n + 1), 0, noise, 1 + rng_below(r, sizeof(noise)));
}

static void delete_part(struct bytes *b, struct rng *r, const struct bytes *other)
{
    (void)other;
    size_t at = rng_below(r, (uint32_t)b->n);
    replace(b, at, rng_below(r, (uint32_t)(b->n - at) + 1), b->p, 0);
}

/* Numbers that hurt, over 1, 2, 4 or 8 bytes anywhere or (half of the time) near the start. */
static void lie_about_lengths(struct bytes *b, struct rng *r, const struct bytes *other)
{
    static const uint8_t evil[][8] = {
        { 0 }, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
        { 0x80 }, { 0, 0, 0, 1 }, { 0xff, 0xff, 0xff, 0x7f }, { '9', '9', '9', '9', '9', '9', '9', '9' },
    };
    (void)other;
    for (uint32_t k = 1 + rng_below(r, 3); k > 0; k--) {
        size_t n = (size_t)1 << rng_below(r, 4), range = rng_below(r, 2) && b->n > 64 ? 64 : b->n;
        size_t at = rng_below(r, (uint32_t)range);
        n = n > b->n - at ? b->n - at : n;
        memcpy(b->p + at, evil[rng_below(r, COUNT_OF(evil))], n);
    }
}

static void splice(struct bytes *b, struct rng *r, const struct bytes *other)
{
    size_t from = rng_below(r, (uint32_t)other->n), n = 1 + rng_below(r, (uint32_t)(other->n - from));
    size_t at = rng_below(r, (uint32_t)b->n + 1), cut = rng_below(r, 2) ? rng_below(r, (uint32_t)(b->n - at) + 1) : 0;
    replace(b, at, cut, other->p + from, n);
}

static void (*const mutations[])(struct bytes *b, struct rng *r, const struct bytes *other) = {
    flip_bits, cut_end, insert_noise, delete_part, lie_about_lengths, splice,
};

static struct bytes copy(const struct bytes *b)
{
    struct bytes c = { xmalloc(b->n + 1), b->n };
    memcpy(c.p, b->p, b->n);
    return c;
}

static void mutate(struct bytes *b, struct rng *r, const struct bytes *other)
{
    for (uint32_t k = 1 + rng_below(r, 3); k > 0 && b->n > 0; k--)
        mutations[rng_below(r, COUNT_OF(mutations))](b, r, other);
}

/* Damage one member and pack the archive anew, so that the CRC does not shield what lies behind it. */
static void mutate_member(struct bytes *b, struct rng *r, const struct bytes *other)
{
    struct zip z;
    (void)other;
    if (zip_read(b->p, b->n, "seed", &z) != ERR_OK)
        return;
    struct zip_entry *e = &z.entries[rng_below(r, (uint32_t)z.n)], *o = &z.entries[rng_below(r, (uint32_t)z.n)];
    struct bytes in = { e->data, e->len }, from = { o->data, o->len };
    from = copy(&from);
    mutate(&in, r, &from);
    free(from.p);
    e->data = in.p;
    e->len = in.n;
    uint8_t *packed = NULL;
    size_t n = 0;
    if (zip_write(&z, &packed, &n) == ERR_OK) {
        free(b->p);
        *b = (struct bytes){ packed, n };
    }
    zip_fini(&z);
}

/* ---- readers ---- */

/* Whatever it is, the band takes some bars of it, in another metre too, and says what it did. */
static enum err take_in(const struct song *s)
{
    struct import *im = import_new(song_dup(s), 256);
    struct str told = { 0 };
    enum err err = ERR_OK;
    for (int i = 0; i < 2 && err == ERR_OK; i++) {
        struct song *band = NULL;
        import_metre(im, i ? 5 : 0, 8);
        import_span(im, (int)(s->n_tracks + s->n_tempos) % 7, 3);
        import_report(im, &told);
        err = import_band(im, &band);
        BUG_ON(err == ERR_OK && band->n_tracks != N_ROLES);
        song_free(band);
    }
    str_fini(&told);
    import_free(im);
    return err;
}

/* A song that was read must be sound enough to be taken in, written and read again. */
static enum err walk_song(struct song *s)
{
    struct song *again;
    uint8_t *bytes;
    size_t n;
    enum err err = take_in(s);
    if (err == ERR_OK)
        err = midi_write(s, NULL, &bytes, &n);
    song_free(s);
    if (err != ERR_OK)
        return err;
    err = midi_read(bytes, n, "again", &again, NULL);
    free(bytes);
    BUG_ON(err != ERR_OK);
    song_free(again);
    return ERR_OK;
}

static enum err read_midi(const uint8_t *p, size_t n)
{
    struct song *s;
    struct midi_report rep;
    enum err err = midi_read(p, n, "mutant", &s, &rep);
    midi_report_fini(&rep);
    return err == ERR_OK ? walk_song(s) : err;
}

static enum err read_npz(const uint8_t *p, size_t n)
{
    struct song *s;
    enum err err = npz_parse_song(p, n, "mutant", &s);
    return err == ERR_OK ? walk_song(s) : err;
}

static enum err read_safetensors(const uint8_t *p, size_t n)
{
    struct ckpt *c;
    volatile unsigned sum = 0;
    enum err err = ckpt_parse(p, n, "mutant", &c);
    if (err != ERR_OK)
        return err;
    for (size_t i = 0; i < ckpt_n(c); i++) {
        struct ckpt_tensor t = ckpt_at(c, i);
        for (size_t k = 0; k < 4 * shape_count(t.shape); k++)
            sum += ((const uint8_t *)t.data)[k];
        sum += (unsigned)strlen(t.name);
    }
    for (size_t i = 0; i < ckpt_n_meta(c); i++) {
        const char *key, *value;
        ckpt_meta_at(c, i, &key, &value);
        sum += (unsigned)(strlen(key) + strlen(value));
    }
    ckpt_close(c);
    return ERR_OK;
}

/* ---- the run ---- */

static const struct target {
    const char *name;
    enum err (*seed)(struct rng *r, const char *path, struct bytes *out);
    void (*mutate)(struct bytes *b, struct rng *r, const struct bytes *other);
    enum err (*read)(const uint8_t *p, size_t n);
} targets[] = {
    { "midi", seed_midi, mutate, read_midi },
    { "npz", seed_npz, mutate, read_npz },
    { "npz members", seed_npz, mutate_member, read_npz },
    { "safetensors", seed_safetensors, mutate, read_safetensors },
};

static bool right_kind(enum err err)
{
    return err == ERR_OK || err == ERR_FORMAT || err == ERR_RANGE || err == ERR_SHAPE || err == ERR_UNSUPPORTED ||
           err == ERR_NOMEM || err == ERR_EMPTY;
}

static bool run_target(const struct target *t, long count, uint64_t seed, const char *path)
{
    struct bytes seeds[N_SEED_FILES];
    long by_kind[N_ERR] = { 0 };
    bool ok = true;

    for (int i = 0; i < N_SEED_FILES; i++) {
        struct rng r;
        rng_init(&r, seed, (uint64_t)i);
        enum err err = t->seed(&r, path, &seeds[i]);
        if (err != ERR_OK || t->read(seeds[i].p, seeds[i].n) != ERR_OK) {
            fprintf(stderr, "%s: the seed itself fails: %s\n", t->name, err_text());
            return false;
        }
    }
    for (long i = 0; i < count && ok; i++) {
        struct rng r;
        rng_init(&r, rng_hash(seed, (uint64_t)i), 1);
        struct bytes b = copy(&seeds[rng_below(&r, N_SEED_FILES)]);
        t->mutate(&b, &r, &seeds[rng_below(&r, N_SEED_FILES)]);
        struct bytes exact = { malloc(b.n ? b.n : 1), b.n }; /* no slack behind the last byte */
        memcpy(exact.p, b.p, b.n);
        alarm(SECONDS_EACH);
        enum err err = t->read(exact.p, exact.n);
        alarm(0);
        by_kind[err]++;
        ok = right_kind(err) && (err == ERR_OK || err_text()[0]);
        if (!ok)
            fprintf(stderr, "%s: mutant %ld: %s \"%s\"\n", t->name, i, err_name(err), err_text());
        free(exact.p);
        free(b.p);
    }
    printf("%-12s %ld mutants:", t->name, count);
    for (int e = 0; e < N_ERR; e++)
        if (by_kind[e])
            printf("  %ld %s", by_kind[e], e == ERR_OK ? "read" : err_name((enum err)e));
    printf("\n");
    for (int i = 0; i < N_SEED_FILES; i++)
        free(seeds[i].p);
    return ok;
}

int main(int argc, char **argv)
{
    int64_t count = 2000, seed = 1;
    char path[64];
    bool ok = true;

    if ((argc > 1 && parse_int(argv[1], 1, 1000000000, &count) != ERR_OK) ||
        (argc > 2 && parse_int(argv[2], 0, INT64_MAX, &seed) != ERR_OK)) {
        fprintf(stderr, "usage: mutate [COUNT [SEED]]\n");
        return 2;
    }
    str_format(path, sizeof(path), "/tmp/mutate_%d", (int)getpid());
    for (size_t i = 0; i < COUNT_OF(targets) && ok; i++)
        ok = run_target(&targets[i], count, (uint64_t)seed, path);
    unlink(path);
    return ok ? 0 : 1;
}
