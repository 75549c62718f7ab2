/* wav.c: the offline render. The song's events drive the synthesizer block by block into one float buffer;
 * tail, loop folding, level and dither are plain passes over it; libsndfile encodes into memory, and the file
 * is written in one piece.
 *
 * Everything is computed from the start of the song with fixed seeds, so the same song and the same font give
 * the same samples. */
#include "wav.h"
#include <math.h>
#include <sndfile.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "mem.h"
#include "rng.h"
#include "seq.h"
#include "song.h"
#include "str.h"
#include "synth.h"

#define QUIET 1e-4f          /* -80 dB */
#define MAX_TAIL_S 8.0
enum { QUIET_BLOCKS = 64, WRITE_FRAMES = 4096 };

struct format { const char *name, *ext; int sf, bits, rate; }; /* bits 0: samples stay float */
static const struct format formats[] = {
    {"s16", ".wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16, 0},
    {"s24", ".wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 24, 0},
    {"float", ".wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0, 0},
    {"flac", ".flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16, 0},
    {"flac24", ".flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 24, 0},
    {"ogg", ".ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0, 0},
    {"opus", ".opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0, 48000},
};

struct sound { float *pcm; size_t frames, cap; int rate; }; /* interleaved stereo */

void render_opts_init(struct render_opts *o)
{
    *o = (struct render_opts){.rate = 44100, .gain_db = -8, .tail_s = -1, .normalize_db = NAN, .only_track = -1};
}

static enum err find_format(const char *name, const char *path, const struct format **out)
{
    const char *ext = path_ext(path);
    if (!name && str_same(path, "-"))
        name = "s16";
    for (size_t i = 0; i < COUNT_OF(formats); i++)
        if (name ? str_same(name, formats[i].name) : str_same(ext, formats[i].ext)) {
            *out = &formats[i];
            return ERR_OK;
        }
    if (name)
        return err_set(ERR_UNSUPPORTED, "unknown audio format '%s' (s16 s24 float flac flac24 ogg opus)", name);
    return err_set(ERR_UNSUPPORTED, "%s: no audio format has the extension '%s' (.wav .flac .ogg .opus)", path, ext);
}

/* ---- sound ---- */

static float block_peak(const float *p)
{
    float peak = 0;
    for (int i = 0; i < 2 * SYNTH_BLOCK; i++)
        peak = fmaxf(peak, fabsf(p[i]));
    return peak;
}

/* Each event goes to the block boundary nearest to it. */
static size_t event_block(const struct seq_event *e, int rate)
{
    return ((size_t)llround(e->seconds * rate) + SYNTH_BLOCK / 2) / SYNTH_BLOCK;
}

static bool go_on(const struct render_opts *o, double fraction)
{
    return !o->on_progress || o->on_progress(o->ctx, fraction);
}

/* Render the bars and then the tail; snd->frames becomes the length that is wanted. */
static enum err render_sound(const struct seq *q, const struct render_opts *o, struct synth *synth,
                             size_t bars, struct sound *snd)
{
    bool until_quiet = o->tail_s < 0 || o->loop_exact;
    size_t next = 0, quiet = 0, last_loud = 0, n = snd->cap / SYNTH_BLOCK;
    for (size_t b = 0; b < n; b++) {
        for (; next < q->n && event_block(&q->events[next], snd->rate) <= b; next++)
            synth_event(synth, q->events[next].kind, q->events[next].channel, q->events[next].a, q->events[next].b);
        float *p = snd->pcm + b * SYNTH_BLOCK * 2;
        synth_render(synth, p, SYNTH_BLOCK);
        quiet = block_peak(p) < QUIET ? quiet + 1 : 0;
        if (!quiet)
            last_loud = (b + 1) * SYNTH_BLOCK;
        if (until_quiet && b * SYNTH_BLOCK >= bars && quiet >= QUIET_BLOCKS)
            break;
        if (b % 256 == 0 && !go_on(o, (double)b / (double)n))
            return err_set(ERR_CANCELLED, "rendering was cancelled");
    }
    if (until_quiet)
        snd->frames = last_loud > bars ? last_loud : bars;
    else
        snd->frames = bars + (size_t)llround(o->tail_s * snd->rate);
    return ERR_OK;
}

static void fold_tail(struct sound *snd, size_t bars)
{
    for (size_t i = bars; i < snd->frames; i++)
        for (size_t c = 0; c < 2; c++)
            snd->pcm[2 * (i % bars) + c] += snd->pcm[2 * i + c];
    snd->frames = bars;
}

/* A cut tail must not click: five milliseconds down to zero, silence stays silence. */
static void fade_end(struct sound *snd)
{
    size_t n = (size_t)snd->rate / 200;
    for (size_t i = 0; i < n && i < snd->frames; i++)
        for (size_t c = 0; c < 2; c++)
            snd->pcm[2 * (snd->frames - 1 - i) + c] *= (float)i / (float)n;
}

static double to_db(double x)
{
    return x > 1e-10 ? 20 * log10(x) : -200;
}

static void set_level(struct sound *snd, double target_db)
{
    float peak = 0;
    for (size_t i = 0; i < 2 * snd->frames; i++)
        peak = fmaxf(peak, fabsf(snd->pcm[i]));
    if (peak < 1e-6f)
        return;
    float k = (float)pow(10, target_db / 20) / peak;
    for (size_t i = 0; i < 2 * snd->frames; i++)
        snd->pcm[i] *= k;
}

static void measure(const struct sound *snd, struct render_report *r)
{
    double peak = 0, sum = 0;
    for (size_t i = 0; i < 2 * snd->frames; i++) {
        double x = fabs((double)snd->pcm[i]);
        peak = fmax(peak, x);
        sum += x * x;
        r->clipped += x > 1.0;
    }
    r->rate = snd->rate;
    r->frames = (long)snd->frames;
    r->seconds = (double)snd->frames / snd->rate;
    r->peak_db = to_db(peak);
    r->rms_db = to_db(sqrt(sum / fmax(1, 2.0 * (double)snd->frames)));
}

/* ---- file ---- */

struct memory { struct str bytes; sf_count_t at; };

static sf_count_t memory_length(void *ctx)
{
    return (sf_count_t)((struct memory *)ctx)->bytes.len;
}

static sf_count_t memory_seek(sf_count_t offset, int whence, void *ctx)
{
    struct memory *m = ctx;
    sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m->at : (sf_count_t)m->bytes.len;
    if (base + offset < 0)
        return -1;
    return m->at = base + offset;
}

static sf_count_t memory_read(void *p, sf_count_t n, void *ctx)
{
    struct memory *m = ctx;
    sf_count_t left = (sf_count_t)m->bytes.len - m->at;
    n = n < left ? n : left > 0 ? left : 0;
    memcpy(p, str_c(&m->bytes) + m->at, (size_t)n);
    m->at += n;
    return n;
}

static sf_count_t memory_write(const void *p, sf_count_t n, void *ctx)
{
    struct memory *m = ctx;
    while ((sf_count_t)m->bytes.len < m->at)
        str_addc(&m->bytes, 0);
    sf_count_t over = (sf_count_t)m->bytes.len - m->at;
    over = over < n ? over : n;
    if (over > 0)
        memcpy(m->bytes.p + m->at, p, (size_t)over);
    if (n > over)
        str_addn(&m->bytes, (const char *)p + over, (size_t)(n - over));
    m->at += n;
    return n;
}

static sf_count_t memory_tell(void *ctx)
{
    return ((struct memory *)ctx)->at;
}

/* Float to integers of `bits` in the high bits of an int. 16 bits get triangular dither of one step, from one
 * random word a sample; finer steps are below the synthesizer's own noise. */
static void quantise(const float *in, int *out, size_t n, int bits, struct rng *r)
{
    double scale = (double)(1 << (bits - 1)), top = scale - 1;
    for (size_t i = 0; i < n; i++) {
        double x = in[i] * top;
        if (bits == 16) {
            uint32_t word = rng_u32(r);
            x += ((double)(word & 0xffff) - (double)(word >> 16)) / 65536.0;
        }
        x = x > top ? top : x < -scale ? -scale : x;
        out[i] = (int)((uint32_t)lrint(x) << (32 - bits));
    }
}

static bool write_samples(SNDFILE *file, const struct sound *snd, const struct format *f)
{
    int block[2 * WRITE_FRAMES];
    struct rng r;
    rng_init(&r, 0x6a616d, 0);
    for (size_t i = 0; i < snd->frames; i += WRITE_FRAMES) {
        size_t n = snd->frames - i < WRITE_FRAMES ? snd->frames - i : WRITE_FRAMES;
        const float *p = snd->pcm + 2 * i;
        sf_count_t done;
        if (f->bits) {
            quantise(p, block, 2 * n, f->bits, &r);
            done = sf_writef_int(file, block, (sf_count_t)n);
        } else {
            done = sf_writef_float(file, p, (sf_count_t)n);
        }
        if (done != (sf_count_t)n)
            return false;
    }
    return true;
}

static void set_tags(SNDFILE *file, const struct song *s)
{
    double quality = 0.7;
    sf_command(file, SFC_SET_VBR_ENCODING_QUALITY, &quality, sizeof quality);
    sf_command(file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE); /* it holds the time of day */
    sf_set_string(file, SF_STR_SOFTWARE, "jamroll");
    if (s->title[0])
        sf_set_string(file, SF_STR_TITLE, s->title);
    if (s->provenance)
        sf_set_string(file, SF_STR_COMMENT, s->provenance);
}

static uint32_t ogg_checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum ^= (uint32_t)p[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7u : 0);
    }
    return sum;
}

static void put_le32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* libsndfile draws a stream's serial number from the clock; one that is always the same lets the same song
 * give the same bytes. Every page carries it, under a checksum (RFC 3533, section 6). */
static void fix_ogg_serial(uint8_t *p, size_t len)
{
    enum { HEADER = 27, SERIAL = 14, CHECKSUM = 22, SEGMENTS = 26 };
    while (len >= HEADER && memcmp(p, "OggS", 4) == 0) {
        size_t page = HEADER + (size_t)p[SEGMENTS];
        for (size_t i = 0; i < p[SEGMENTS] && HEADER + i < len; i++)
            page += p[HEADER + i];
        if (page > len)
            return;
        put_le32(p + SERIAL, 1);
        put_le32(p + CHECKSUM, 0);
        put_le32(p + CHECKSUM, ogg_checksum(p, page));
        p += page;
        len -= page;
    }
}

static enum err encode(const struct song *s, const struct sound *snd, const struct format *f, const char *path)
{
    struct memory m = {0};
    SF_VIRTUAL_IO io = {memory_length, memory_seek, memory_read, memory_write, memory_tell};
    SF_INFO info = {.samplerate = snd->rate, .channels = 2, .format = f->sf};
    SNDFILE *file = sf_open_virtual(&io, SFM_WRITE, &info, &m);
    if (!file)
        return err_set(ERR_UNSUPPORTED, "%s: libsndfile cannot write %s: %s", path, f->name, sf_strerror(NULL));
    set_tags(file, s);
    bool written = write_samples(file, snd, f);
    enum err err = ERR_OK;
    if (!written)
        err = err_set(ERR_IO, "%s: %s", path, sf_strerror(file));
    sf_close(file);
    if ((f->sf & SF_FORMAT_TYPEMASK) == SF_FORMAT_OGG)
        fix_ogg_serial((uint8_t *)m.bytes.p, m.bytes.len);
    if (!err)
        err = file_write(path, str_c(&m.bytes), m.bytes.len);
    str_fini(&m.bytes);
    return err;
}

/* ---- the whole ---- */

static enum err check(const struct song *s, const struct render_opts *o, const struct seq *q)
{
    if (o->rate != 44100 && o->rate != 48000)
        return err_set(ERR_RANGE, "sample rate %d: only 44100 and 48000 are rendered", o->rate);
    if (!(o->tail_s <= 60))
        return err_set(ERR_RANGE, "a tail of %g seconds is longer than 60", o->tail_s);
    if (!isnan(o->normalize_db) && !(o->normalize_db >= -60 && o->normalize_db <= 0))
        return err_set(ERR_RANGE, "normalising to %g dB: outside -60..0", o->normalize_db);
    if (o->only_track >= (int)s->n_tracks)
        return err_set(ERR_RANGE, "there is no track %d", o->only_track + 1);
    if (q->end_tick <= 0)
        return err_set(ERR_EMPTY, "there is nothing to render: the song holds no notes");
    if (q->end_seconds > RENDER_MAX_SECONDS)
        return err_set(ERR_RANGE, "the song lasts %.0f minutes, more than %d", q->end_seconds / 60,
                       RENDER_MAX_SECONDS / 60);
    return ERR_OK;
}

static enum err make_sound(const struct seq *q, const struct render_opts *o, struct sound *snd,
                           struct render_report *r)
{
    struct synth *synth = NULL;
    size_t bars = (size_t)llround(q->end_seconds * snd->rate);
    double tail = o->tail_s < 0 || o->loop_exact ? MAX_TAIL_S : o->tail_s;
    snd->cap = (bars + (size_t)(tail * snd->rate) + 2 * SYNTH_BLOCK) / SYNTH_BLOCK * SYNTH_BLOCK;
    void *pcm = NULL;
    TRY(mem_try_alloc(snd->cap, 2 * sizeof *snd->pcm, &pcm));
    snd->pcm = pcm;
    TRY(synth_new(o->soundfont, snd->rate, o->gain_db, &synth));
    str_copy(r->font, sizeof r->font, synth_font(synth));
    enum err err = render_sound(q, o, synth, bars, snd);
    synth_free(synth);
    TRY(err);
    if (o->loop_exact)
        fold_tail(snd, bars);
    else
        fade_end(snd);
    if (!isnan(o->normalize_db))
        set_level(snd, o->normalize_db);
    return ERR_OK;
}

enum err render_file(const struct song *s, const struct render_opts *o, const char *path, struct render_report *r)
{
    const struct format *f = NULL;
    struct sound snd = {0};
    struct render_report report = {0};
    TRY(find_format(o->format, path, &f));
    struct seq *q = o->only_track >= 0 && o->only_track < (int)s->n_tracks
                        ? seq_new_tracks(s, 1ull << o->only_track)
                        : seq_new(s);
    enum err err = ERR_OK;
    TRY_OUT(check(s, o, q));
    snd.rate = f->rate ? f->rate : o->rate;
    TRY_OUT(make_sound(q, o, &snd, &report));
    measure(&snd, &report);
    TRY_OUT(encode(s, &snd, f, path));
    go_on(o, 1);
    if (r)
        *r = report;
out:
    free(snd.pcm);
    seq_free(q);
    return err;
}
