/* open_port.h: the MIDI output of a name, open and ready. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "midiout.h"

static inline enum err open_port(const char *name, struct midiout **out)
{
    struct midiout *m = midiout_new();
    enum err err = midiout_set(m, name, false);
    if (err != ERR_OK) {
        midiout_close(m);
        return err;
    }
    assert_true(midiout_wait(m, 2000));
    *out = m;
    return ERR_OK;
}
