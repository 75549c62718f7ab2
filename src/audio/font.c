/* font.c: the built-in SoundFont: waves laid out as an SF2 file (SoundFont 2.01) in memory, small enough to
 * be made on the spot and complete enough that every General MIDI program and drum sounds.
 *
 * One instrument a row of `tones`, one preset a program; the drum kit is one instrument with a zone a row
 * of `drums`, preset 0 of bank 128. */
#include "font.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "mem.h"
#include "str.h"
#include "synth.h"

/* Generators of the SoundFont specification, section 8.1.2. */
enum { GEN_VIBRATO = 6, GEN_REVERB = 16, GEN_PAN = 17, GEN_VIB_DELAY = 23, GEN_VIB_HZ = 24, GEN_ATTACK = 34,
       GEN_DECAY = 36, GEN_SUSTAIN = 37, GEN_RELEASE = 38, GEN_KEY_DECAY = 40, GEN_INSTRUMENT = 41, GEN_KEYS = 43,
       GEN_ATTENUATION = 48, GEN_SAMPLE = 53, GEN_LOOP = 54, GEN_SCALE = 56, GEN_CHOKE = 57 };
enum { GAP = 46 }; /* silent samples the format wants after every wave */

struct font { struct str smpl, shdr, inst, ibag, igen, phdr, pbag, pgen; uint16_t n_samples, n_inst; };

static void put16(struct str *s, int v)
{
    str_addn(s, (const char[]){(char)(v & 255), (char)(v >> 8 & 255)}, 2);
}

static void put32(struct str *s, size_t v)
{
    put16(s, (int)(v & 0xffff));
    put16(s, (int)(v >> 16 & 0xffff));
}

static void put_name(struct str *s, const char *name)
{
    char field[20] = {0};
    str_copy(field, sizeof field, name);
    str_addn(s, field, sizeof field);
}

static void chunk(struct str *out, const char *id, const struct str *body)
{
    str_addn(out, id, 4);
    put32(out, body->len);
    str_addn(out, str_c(body), body->len);
    if (body->len & 1)
        str_addc(out, 0);
}

static void text_chunk(struct str *out, const char *id, const char *text)
{
    size_t n = strlen(text) + 1;
    struct str body = {0};
    str_addn(&body, text, n);
    if (n & 1)
        str_addc(&body, 0);
    chunk(out, id, &body);
    str_fini(&body);
}

static int timecents(double seconds)
{
    return (int)lround(1200 * log2(seconds > 0.001 ? seconds : 0.001));
}

static void gen(struct str *s, int what, int amount)
{
    put16(s, what);
    put16(s, amount);
}

static void zone(struct str *bag, const struct str *gens)
{
    put16(bag, (int)(gens->len / 4)); /* first generator of the zone */
    put16(bag, 0);                    /* modulators: none */
}

/* Append a wave to the sample pool and its header to shdr; returns its index. */
static int add_sample(struct font *f, const char *name, const struct wave *w)
{
    size_t start = f->smpl.len / 2;
    for (size_t i = 0; i < w->n; i++)
        put16(&f->smpl, (int)lround(w->pcm[i] * 32767));
    size_t end = start + w->n;
    for (int i = 0; i < GAP; i++) /* a loop reads one sample past its end */
        put16(&f->smpl, w->loop_end ? (int)lround(w->pcm[w->loop_start + (size_t)i] * 32767) : 0);
    put_name(&f->shdr, name);
    put32(&f->shdr, start);
    put32(&f->shdr, end + (w->loop_end ? 8 : 0));
    put32(&f->shdr, start + w->loop_start);
    put32(&f->shdr, w->loop_end ? start + w->loop_end : end);
    put32(&f->shdr, (size_t)w->rate);
    str_addc(&f->shdr, (char)w->root);
    str_addc(&f->shdr, (char)lround(w->cents));
    put16(&f->shdr, 0);
    put16(&f->shdr, 1); /* mono */
    return f->n_samples++;
}

static void begin_instrument(struct font *f, const char *name)
{
    put_name(&f->inst, name);
    put16(&f->inst, (int)(f->ibag.len / 4));
    f->n_inst++;
}

static void add_tone(struct font *f, const struct tone *t)
{
    begin_instrument(f, t->name);
    zone(&f->ibag, &f->igen); /* what all octaves share */
    if (t->vibrato) {
        gen(&f->igen, GEN_VIBRATO, t->vibrato);
        gen(&f->igen, GEN_VIB_DELAY, timecents(0.35));
        gen(&f->igen, GEN_VIB_HZ, (int)lround(1200 * log2(5.2 / 8.176)));
    }
    gen(&f->igen, GEN_REVERB, 60);
    gen(&f->igen, GEN_ATTACK, timecents(t->attack));
    gen(&f->igen, GEN_DECAY, timecents(t->decay));
    gen(&f->igen, GEN_SUSTAIN, (int)lround(-10 * t->sustain));
    gen(&f->igen, GEN_RELEASE, timecents(t->release));
    gen(&f->igen, GEN_KEY_DECAY, t->key_decay);
    gen(&f->igen, GEN_ATTENUATION, (int)lround(10 * (t->level + 4)));
    gen(&f->igen, GEN_LOOP, 1);
    for (int root = t->low_root; root <= t->high_root; root += 12) {
        struct wave w = tone_wave(t, root);
        int low = root == t->low_root ? 0 : root - 6, high = root + 12 > t->high_root ? 127 : root + 5;
        zone(&f->ibag, &f->igen);
        gen(&f->igen, GEN_KEYS, low | high << 8);
        gen(&f->igen, GEN_SAMPLE, add_sample(f, t->name, &w));
        wave_fini(&w);
    }
}

static void add_kit(struct font *f)
{
    begin_instrument(f, "Drums");
    for (size_t i = 0; i < n_drums; i++) {
        const struct drum *d = &drums[i];
        struct wave w = drum_wave(d);
        zone(&f->ibag, &f->igen);
        gen(&f->igen, GEN_KEYS, d->low | d->high << 8);
        gen(&f->igen, GEN_REVERB, 40);
        gen(&f->igen, GEN_PAN, d->pan * 10);
        gen(&f->igen, GEN_ATTENUATION, (int)lround(10 * d->level));
        gen(&f->igen, GEN_RELEASE, timecents(2 * d->seconds)); /* short gates must not cut a drum */
        if (!d->root)
            gen(&f->igen, GEN_SCALE, 0);
        if (d->choke)
            gen(&f->igen, GEN_CHOKE, d->choke);
        gen(&f->igen, GEN_SAMPLE, add_sample(f, d->name, &w));
        wave_fini(&w);
    }
}

static void add_preset(struct font *f, const char *name, int program, int bank, int instrument)
{
    put_name(&f->phdr, name);
    put16(&f->phdr, program);
    put16(&f->phdr, bank);
    put16(&f->phdr, (int)(f->pbag.len / 4));
    for (int i = 0; i < 3; i++)
        put32(&f->phdr, 0); /* library, genre, morphology */
    zone(&f->pbag, &f->pgen);
    gen(&f->pgen, GEN_INSTRUMENT, instrument);
}

/* Every table ends with a terminal record that points one past the last. */
static void add_terminals(struct font *f)
{
    put_name(&f->phdr, "EOP");
    put32(&f->phdr, 0);
    put16(&f->phdr, (int)(f->pbag.len / 4));
    for (int i = 0; i < 3; i++)
        put32(&f->phdr, 0);
    zone(&f->pbag, &f->pgen);
    gen(&f->pgen, 0, 0);
    put_name(&f->inst, "EOI");
    put16(&f->inst, (int)(f->ibag.len / 4));
    zone(&f->ibag, &f->igen);
    gen(&f->igen, 0, 0);
    put_name(&f->shdr, "EOS");
    for (int i = 0; i < 6; i++)
        put32(&f->shdr, 0);
    put16(&f->shdr, 0);
}

static void write_file(struct font *f, struct str *out)
{
    struct str info = {0}, data = {0}, tables = {0}, body = {0}, mods = {0}, version = {0};
    put16(&version, 2);
    put16(&version, 1);
    str_addn(&info, "INFO", 4);
    chunk(&info, "ifil", &version);
    text_chunk(&info, "isng", "EMU8000");
    text_chunk(&info, "INAM", "jamroll built-in");
    str_addn(&data, "sdta", 4);
    chunk(&data, "smpl", &f->smpl);
    str_addn(&tables, "pdta", 4);
    for (int i = 0; i < 10; i++)
        str_addc(&mods, 0);
    const struct { const char *id; const struct str *body; } order[] = {
        {"phdr", &f->phdr}, {"pbag", &f->pbag}, {"pmod", &mods},    {"pgen", &f->pgen}, {"inst", &f->inst},
        {"ibag", &f->ibag}, {"imod", &mods},    {"igen", &f->igen}, {"shdr", &f->shdr},
    };
    for (size_t i = 0; i < COUNT_OF(order); i++)
        chunk(&tables, order[i].id, order[i].body);
    str_addn(&body, "sfbk", 4);
    chunk(&body, "LIST", &info);
    chunk(&body, "LIST", &data);
    chunk(&body, "LIST", &tables);
    chunk(out, "RIFF", &body);
    struct str *temp[] = {&info, &data, &tables, &body, &mods, &version};
    for (size_t i = 0; i < COUNT_OF(temp); i++)
        str_fini(temp[i]);
}

enum err soundfont_builtin(uint8_t **out, size_t *len)
{
    struct font f = {0};
    for (size_t i = 0; i < n_tones; i++) {
        add_tone(&f, &tones[i]);
        for (int p = tones[i].first; p <= tones[i].last; p++)
            add_preset(&f, tones[i].name, p, 0, f.n_inst - 1);
    }
    add_kit(&f);
    add_preset(&f, "Drums", 0, 128, f.n_inst - 1);
    add_terminals(&f);
    struct str file = {0};
    write_file(&f, &file);
    struct str *temp[] = {&f.smpl, &f.shdr, &f.inst, &f.ibag, &f.igen, &f.phdr, &f.pbag, &f.pgen};
    for (size_t i = 0; i < COUNT_OF(temp); i++)
        str_fini(temp[i]);
    *len = file.len;
    *out = (uint8_t *)str_take(&file);
    return ERR_OK;
}
