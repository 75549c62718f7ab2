/* midi.h: Standard MIDI Files (RP-001, 1.0). Reader: formats 0, 1, 2 and RIFF-wrapped, running status,
 * sysex, truncated and odd files read as far as they make sense, with a report of what was dropped.
 * Writer: format 1 (or 0) by the contract in jamroll-commands(5). */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "str.h"
struct song;

/* A pedal goes down or up (controller 64). Songs hold no pedal; midi_hold_pedal turns it into longer notes. */
struct midi_pedal { int32_t tick; uint8_t channel; bool down; };

struct midi_report {
    struct str text;            /* plain lines for the user; empty when nothing was odd */
    int format, n_chunks, division;
    long n_events, n_notes;
    long n_orphan_offs, n_unclosed, n_doubled, n_bad_events, n_skipped_bytes;
    bool truncated, riff, metre_told, tempo_told;
    struct midi_pedal *pedals;  /* in file order: a chunk's by tick */
    size_t n_pedals, cap_pedals;
};
enum { MIDI_MAX_BYTES = 16 << 20, MIDI_MAX_NOTES = 1 << 20 };

/* `name` is only for messages. Ticks are scaled to 480 a quarter (rounded once, from absolute ticks);
 * SMPTE divisions are converted through 120 bpm. Format 0 is split by channel (and a track that mixes
 * channels likewise). Format 2: its patterns are laid one after another. ERR_FORMAT with name and byte
 * offset when nothing can be read. report may be NULL; else midi_report_fini it in every case. */
NODISCARD enum err midi_read(const uint8_t *bytes, size_t len, const char *name, struct song **out,
                             struct midi_report *report);
NODISCARD enum err midi_load(const char *path, struct song **out, struct midi_report *report);
void midi_report_fini(struct midi_report *r);
/* Notes whose key is let go while the pedal of their channel is down last until it comes up or the key is struck
 * again. A pedal that never comes up holds nothing. */
void midi_hold_pedal(struct song *s, const struct midi_report *r);

struct midi_write_opts { int format; /* 0 or 1 */ bool skip_muted; };
NODISCARD enum err midi_write(const struct song *s, const struct midi_write_opts *opts, uint8_t **out, size_t *len);
NODISCARD enum err midi_save(const struct song *s, const struct midi_write_opts *opts, const char *path);
