/* accent.h: how loud notes are played that were written without any loudness. */
#pragma once
#include <stdint.h>
#include "role.h"

/* MIDI velocity of a note `at` ticks into a bar of quarters: the mean of band music for its instrument (drums: by
 * General MIDI pitch) and its place in the beat, and up to four more or less. `where` is anything that tells one such
 * note from the next, its tick for example: the same note is always as loud. */
int accent_velocity(enum role role, int pitch, int32_t at, uint32_t where);
