/* seq.h: a song as time-ordered events with loop points: the one source for live sound, MIDI out and the
 * offline render, so that what is heard is what is written. */
#pragma once
#include <stdint.h>
#include <stddef.h>
struct song;

enum seq_kind { SEQ_OFF, SEQ_ON, SEQ_PROGRAM, SEQ_CONTROL }; /* order within a tick: programs and controls, offs, ons */
struct seq_event { int32_t tick; double seconds; uint8_t kind, channel, a, b; };
struct seq { struct seq_event *events; size_t n; int32_t end_tick; double end_seconds; };
/* Muted tracks are left out (or all but the soloed ones); the set-up (programs, volumes) comes first. */
struct seq *seq_new(const struct song *s);
/* Only track `only` (>= 0), whatever its mute flag: for stems. */
struct seq *seq_new_track(const struct song *s, int only);
void seq_free(struct seq *q);
