/* mix.h: the faders of the mixer, one row each; every one is a command of the same name. */
#pragma once
#include "desk.h"

enum { FADER_TEXT = 48 };
enum fader_kind { FADER_PROGRAM, FADER_VOLUME, FADER_PAN, FADER_REVERB, FADER_CHORUS, N_FADERS };
struct fader {
    const char *name;
    int step;
    size_t offset;                           /* of its byte in struct track */
    NODISCARD enum err (*parse)(const char *text, int now, int *out);
    void (*print)(const struct desk *d, const struct track *t, char out[FADER_TEXT]);  /* NULL: the number */
};
extern const struct fader faders[N_FADERS];
uint8_t *fader_value(const struct fader *f, struct track *t);
void fader_print(const struct fader *f, const struct desk *d, const struct track *t, char out[FADER_TEXT]);
