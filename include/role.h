/* role.h: the band's five roles and how General MIDI programs and foreign files map onto them (the
 * LPD-5 rule: drum channel -> Drums, program family 0 -> Piano, 3 -> Guitar, 4 -> Bass, other families
 * below 96 and 104..111 -> Strings, percussive and effect families dropped). */
#pragma once
#include <stdint.h>
#include "err.h"

enum role { ROLE_DRUMS, ROLE_PIANO, ROLE_GUITAR, ROLE_BASS, ROLE_STRINGS, N_ROLES, ROLE_NONE = N_ROLES };

const char *role_name(enum role r);               /* "Drums", ... "-" for ROLE_NONE */
bool role_parse(const char *text, enum role *out); /* case-insensitive name or unique prefix */
enum role role_of_program(int program, bool drums);
uint8_t role_program(enum role r);                /* 0 0 25 33 48 */
uint8_t role_channel(enum role r);                /* drums 9, others in order 0.. */
const char *gm_program_name(int program);         /* 0..127 -> "Acoustic Grand" */
const char *gm_drum_name(int pitch);              /* 35..81 -> "Kick", or NULL */

struct song;
/* Merge a song of any layout into the five roles in band order; tracks without a role are left out. Where a role
 * has several tracks, notes of one pitch within a 96th of each other become one, with the higher velocity, and
 * the sound is that of the track with most notes. Tempo, metre, key, markers and title are kept. The caller owns
 * *out. A proposal to be changed first, and a report: import.h. */
NODISCARD enum err role_band(const struct song *in, struct song **out);
/* A band in which one track of the song plays alone, named by its number from 1, its name or a part of that, or its role.
 * One without a role plays the piano's. ERR_MISSING lists the tracks. */
NODISCARD enum err role_follow(const struct song *in, const char *track, struct song **out);
