/* synth.c: one FluidSynth instance, its sound defined entirely here.
 *
 * FluidSynth's defaults for reverb and chorus moved between releases, so none is relied on: same events, same
 * font, same library version give the same samples. Samples are read when a program is chosen, which keeps a
 * 145 MB font at some 45 MB; synth_prepare does that ahead of time for players that must not wait. */
#include "synth.h"
#include <errno.h>
#include <fluidsynth.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hush.h"
#include "mem.h"
#include "seq.h"
#include "str.h"

#define BUILTIN "builtin"

struct synth {
    fluid_settings_t *settings;
    fluid_synth_t *fluid;
    int font_id;
    char *font;
};

static const struct { const char *key; double value; } reals[] = {
    {"synth.reverb.room-size", 0.5}, {"synth.reverb.damp", 0.3}, {"synth.reverb.width", 0.8},
    {"synth.reverb.level", 0.7},     {"synth.chorus.level", 1.2}, {"synth.chorus.speed", 0.3},
    {"synth.chorus.depth", 6.0},
};
static const struct { const char *key; int value; } ints[] = {
    {"synth.reverb.active", 1}, {"synth.chorus.active", 1}, {"synth.chorus.nr", 3},     {"synth.polyphony", 256},
    {"synth.cpu-cores", 1},     {"synth.lock-memory", 0},   {"synth.midi-channels", 32},
    {"synth.dynamic-sample-loading", 1}, {"synth.audio-channels", 1}, {"synth.audio-groups", 1},
};

/* ---- the built-in font, read by FluidSynth from memory ---- */

static uint8_t *builtin_bytes;  /* made once, kept for the life of the process */
static size_t builtin_len;

struct memory_file { size_t at; };

static void make_builtin(void)
{
    BUG_ON(soundfont_builtin(&builtin_bytes, &builtin_len) != ERR_OK);
}

static void *memory_open(const char *name)
{
    return strcmp(name, BUILTIN) == 0 ? xcalloc(1, sizeof(struct memory_file)) : NULL;
}

static int memory_read(void *buf, fluid_long_long_t count, void *handle)
{
    struct memory_file *f = handle;
    if (count < 0 || (size_t)count > builtin_len - f->at)
        return FLUID_FAILED;
    memcpy(buf, builtin_bytes + f->at, (size_t)count);
    f->at += (size_t)count;
    return FLUID_OK;
}

static int memory_seek(void *handle, fluid_long_long_t offset, int origin)
{
    struct memory_file *f = handle;
    fluid_long_long_t base = origin == SEEK_SET ? 0 : (fluid_long_long_t)(origin == SEEK_CUR ? f->at : builtin_len);
    if (base + offset < 0 || (size_t)(base + offset) > builtin_len)
        return FLUID_FAILED;
    f->at = (size_t)(base + offset);
    return FLUID_OK;
}

static fluid_long_long_t memory_tell(void *handle)
{
    return (fluid_long_long_t)((struct memory_file *)handle)->at;
}

static int memory_close(void *handle)
{
    free(handle);
    return FLUID_OK;
}

static enum err add_builtin_loader(struct synth *s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_builtin);
    fluid_sfloader_t *loader = new_fluid_defsfloader(s->settings);
    if (!loader)
        return err_set(ERR_NOMEM, "no memory for the built-in SoundFont");
    fluid_sfloader_set_callbacks(loader, memory_open, memory_read, memory_seek, memory_tell, memory_close);
    fluid_synth_add_sfloader(s->fluid, loader);
    return ERR_OK;
}

/* ---- life ---- */

/* FluidSynth's own complaint about a file of another kind is on stderr and of little help. */
static enum err check_font(const char *path)
{
    char head[12] = {0};
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(ERR_MISSING, "cannot open the SoundFont %s: %s", path, strerror(errno));
    size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    if (n < sizeof head || memcmp(head, "RIFF", 4) || (memcmp(head + 8, "sfbk", 4) && memcmp(head + 8, "DLS ", 4)))
        return err_set(ERR_FORMAT, "%s is not a SoundFont", path);
    return ERR_OK;
}

static enum err set_up(struct synth *s, const char *soundfont, int rate, double gain_db)
{
    s->settings = new_fluid_settings();
    if (!s->settings)
        return err_set(ERR_NOMEM, "FluidSynth: no memory for settings");
    for (size_t i = 0; i < COUNT_OF(reals); i++)
        fluid_settings_setnum(s->settings, reals[i].key, reals[i].value);
    for (size_t i = 0; i < COUNT_OF(ints); i++)
        fluid_settings_setint(s->settings, ints[i].key, ints[i].value);
    fluid_settings_setstr(s->settings, "synth.midi-bank-select", "gm");
    fluid_settings_setnum(s->settings, "synth.sample-rate", rate);
    fluid_settings_setnum(s->settings, "synth.gain", pow(10, gain_db / 20));
    s->fluid = new_fluid_synth(s->settings);
    if (!s->fluid)
        return err_set(ERR_DEVICE, "FluidSynth could not start: %s", hush_last_error());
    fluid_synth_set_interp_method(s->fluid, -1, FLUID_INTERP_4THORDER);
    s->font = soundfont_find(soundfont);
    if (!s->font) {
        s->font = xstrdup(BUILTIN);
        TRY(add_builtin_loader(s));
    } else {
        TRY(check_font(s->font));
    }
    s->font_id = fluid_synth_sfload(s->fluid, s->font, 1);
    if (s->font_id == FLUID_FAILED)
        return err_set(ERR_FORMAT, "cannot load the SoundFont %s: %s", s->font, hush_last_error());
    return ERR_OK;
}

enum err synth_new(const char *soundfont, int rate, double gain_db, struct synth **out)
{
    if (rate < 8000 || rate > 96000)
        return err_set(ERR_RANGE, "sample rate %d is outside 8000..96000", rate);
    if (!(gain_db >= -60 && gain_db <= 20))
        return err_set(ERR_RANGE, "gain %g dB is outside -60..20", gain_db);
    hush_libraries();
    struct synth *s = xcalloc(1, sizeof *s);
    enum err err = set_up(s, soundfont, rate, gain_db);
    if (err) {
        synth_free(s);
        return err;
    }
    *out = s;
    return ERR_OK;
}

void synth_free(struct synth *s)
{
    if (!s)
        return;
    delete_fluid_synth(s->fluid);
    delete_fluid_settings(s->settings);
    free(s->font);
    free(s);
}

const char *synth_font(const struct synth *s)
{
    return s->font;
}

void synth_prepare(struct synth *s, int channel, int program)
{
    fluid_synth_pin_preset(s->fluid, s->font_id, channel == 9 ? 128 : 0, program);
}

void synth_event(struct synth *s, int kind, int channel, int a, int b)
{
    switch ((enum seq_kind)kind) {
    case SEQ_ON:
        fluid_synth_noteon(s->fluid, channel, a, b);
        break;
    case SEQ_OFF:
        fluid_synth_noteoff(s->fluid, channel, a);
        break;
    case SEQ_PROGRAM:
        fluid_synth_program_change(s->fluid, channel, a);
        break;
    case SEQ_CONTROL:
        fluid_synth_cc(s->fluid, channel, a, b);
        break;
    }
}

void synth_panic(struct synth *s)
{
    fluid_synth_all_sounds_off(s->fluid, -1);
}

void synth_render(struct synth *s, float *interleaved, size_t frames)
{
    fluid_synth_write_float(s->fluid, (int)frames, interleaved, 0, 2, interleaved, 1, 2);
}
