/* mix.c: the mixer: a row a fader. The same values are typed at the prompt and turned in the pane. */
#include <stdlib.h>

#include "act.h"
#include "mix.h"

/* "C", "L30", "R12": from the middle, as on a desk; else the number of MIDI. */
static enum err parse_pan(const char *text, int now, int *out)
{
    int side = text[0] == 'L' || text[0] == 'l' ? -1 : text[0] == 'R' || text[0] == 'r' ? 1 : 0, by = 0;
    if (str_same(text, "C")) {
        *out = 64;
        return ERR_OK;
    }
    if (!side)
        return arg_step(text, now, 0, 127, out);
    TRY(arg_int(text + 1, 0, side < 0 ? 64 : 63, &by));
    *out = 64 + side * by;
    return ERR_OK;
}

static void print_pan(const struct desk *d, const struct track *t, char out[FADER_TEXT])
{
    (void)d;
    if (t->pan == 64)
        str_copy(out, FADER_TEXT, "C");
    else
        str_format(out, FADER_TEXT, "%c%d", t->pan < 64 ? 'L' : 'R', abs(t->pan - 64));
}

static enum err parse_level(const char *text, int now, int *out)
{
    return arg_step(text, now, 0, 127, out);
}

/* General MIDI numbers as people write them, 1 to 128. */
static enum err parse_program(const char *text, int now, int *out)
{
    TRY(arg_step(text, now + 1, 1, 128, out));
    --*out;
    return ERR_OK;
}

static void print_program(const struct desk *d, const struct track *t, char out[FADER_TEXT])
{
    bool kit = t == &session_song(d->session)->tracks[ROLE_DRUMS];
    str_format(out, FADER_TEXT, "%d %s", t->program + 1, kit ? "Kit" : gm_program_name(t->program));
}

/* clang-format off */
const struct fader faders[N_FADERS] = {
    { "program", 1, offsetof(struct track, program), parse_program, print_program },
    { "volume",  4, offsetof(struct track, volume),  parse_level,   NULL },
    { "pan",     4, offsetof(struct track, pan),     parse_pan,     print_pan },
    { "reverb",  4, offsetof(struct track, reverb),  parse_level,   NULL },
    { "chorus",  4, offsetof(struct track, chorus),  parse_level,   NULL },
};
/* clang-format on */

uint8_t *fader_value(const struct fader *f, struct track *t)
{
    return (uint8_t *)t + f->offset;
}

void fader_print(const struct fader *f, const struct desk *d, const struct track *t, char out[FADER_TEXT])
{
    if (f->print)
        f->print(d, t, out);
    else
        str_format(out, FADER_TEXT, "%d", *((const uint8_t *)t + f->offset));
}

static enum err set(struct desk *d, enum fader_kind kind, const char *text)
{
    const struct fader *f = &faders[kind];
    struct track *t = desk_track(d);
    char shown[FADER_TEXT];
    int value = 0;
    TRY(f->parse(text, *fader_value(f, t), &value));
    session_edit_begin(d->session, f->name);
    *fader_value(f, t) = (uint8_t)value;
    session_edit_end(d->session);
    d->stale = STALE_NOW;
    fader_print(f, d, desk_track(d), shown);
    desk_say(d, "%s: %s %s", role_name((enum role)d->track), f->name, shown);
    return ERR_OK;
}

enum err act_program(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return set(d, FADER_PROGRAM, argv[0]);
}

enum err act_volume(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return set(d, FADER_VOLUME, argv[0]);
}

enum err act_pan(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return set(d, FADER_PAN, argv[0]);
}

enum err act_reverb(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return set(d, FADER_REVERB, argv[0]);
}

enum err act_chorus(struct desk *d, int argc, char **argv)
{
    (void)argc;
    return set(d, FADER_CHORUS, argv[0]);
}

enum err act_fader(struct desk *d, int argc, char **argv)
{
    (void)argc;
    int by = str_same(argv[0], "next") ? 1 : str_same(argv[0], "prev") ? -1 : 0;
    for (int i = 0; i < N_FADERS && !by; i++)
        if (str_same(argv[0], faders[i].name)) {
            d->row[PANE_MIXER] = i;
            return ERR_OK;
        }
    if (!by)
        return err_set(ERR_MISSING, "no fader \"%s\"", argv[0]);
    d->row[PANE_MIXER] = (d->row[PANE_MIXER] + by + N_FADERS) % N_FADERS;
    return ERR_OK;
}

/* The fader at hand up or down by its step, as far as it goes; "ask" types it. */
enum err act_turn(struct desk *d, int argc, char **argv)
{
    (void)argc;
    const struct fader *f = &faders[d->row[PANE_MIXER]];
    int value = *fader_value(f, desk_track(d)) + (argv[0][0] == '-' ? -f->step : f->step);
    char arg[16];
    if (str_same(argv[0], "ask")) {
        d->want = WANT_PROMPT;
        str_format(d->want_text, sizeof d->want_text, "%s ", f->name);
        return ERR_OK;
    }
    value = value < 0 ? 0 : value > 127 ? 127 : value;
    str_format(arg, sizeof arg, "%d", f->parse == parse_program ? value + 1 : value);
    return set(d, (enum fader_kind)d->row[PANE_MIXER], arg);
}
