/* act.h: what the actions share; the rows are in actions.c, the functions in act_*.c. */
#pragma once
#include "command.h"

typedef enum err act_fn(struct desk *d, int argc, char **argv);

/* act_move.c */
act_fn act_left, act_right, act_up, act_down, act_bar, act_octave, act_start, act_end, act_onset, act_track,
    act_track_by, act_zoom, act_normal;
/* act_select.c */
act_fn act_select, act_select_bars, act_corner;
/* act_clip.c */
act_fn act_yank, act_cut, act_paste;
/* act_shape.c */
act_fn act_transpose, act_shift, act_degrees, act_tune, act_mirror, act_invert, act_quantize, act_humanize,
    act_retrograde, act_stretch, act_legato, act_staccato;
/* act_edit.c */
act_fn act_note, act_delete, act_velocity, act_length, act_undo, act_redo, act_bars, act_tempo, act_lock, act_ghosts,
    act_middlec;
/* act_step.c */
act_fn act_step, act_key, act_chord, act_rest, act_back, act_erase, act_tie, act_octave_by, act_len, act_dotted,
    act_triplet, act_hit;
/* act_band.c */
act_fn act_keep, act_let_go, act_mute, act_solo, act_unmute, act_unsolo, act_genre, act_model, act_tone,
    act_temperature, act_seed, act_batch, act_density, act_snap, act_generate, act_accompany, act_infill,
    act_again, act_vary, act_distance, act_interpolate, act_mix, act_range, act_cancel, act_take, act_mark, act_flip, act_star;
/* act_file.c */
act_fn act_open, act_save, act_render, act_import, act_quit, act_quit_now, act_suspend, act_redraw,
    act_help, act_report, act_prompt, act_palette, act_find, act_log;
/* act_play.c */
act_fn act_play, act_play_start, act_stop, act_cue, act_rewind, act_loop, act_panic, act_play_selection,
    act_click, act_clock, act_count_in, act_latency, act_midi_out, act_midi_in, act_audio;
/* mix.c */
act_fn act_volume, act_pan, act_reverb, act_chorus, act_program, act_fader, act_turn;
/* act_record.c */
act_fn act_record, act_input_grid;

/* act_export.c */
act_fn act_export, act_midi;
/* rc.c */
act_fn act_set, act_bind;

/* act_stems.c */
act_fn act_stems;

/* act_form.c */
act_fn act_section, act_chain, act_duplicate, act_rename, act_remove_section, act_split, act_join, act_continue,
    act_go_on, act_vary_section, act_whole, act_export_section;

/* act_band.c: ask for takes in the section under the hand; `lead` as in session_begin_takes. */
struct request;
NODISCARD enum err band_submit(struct desk *d, struct request *rq, int lead);

void band_span(const struct desk *d, int *bar0, int *n_bars);  /* the selection's bars, the loop, or the section */
void band_keep_outside(const struct desk *d, struct request *rq); /* what is not selected */

/* act_style.c */
act_fn act_style;

/* act_transfer.c */
act_fn act_transfer, act_transfer_again, act_strength, act_melody, act_drums;
void transfer_genres(const struct desk *d, struct words *out);  /* that a transfer can go to */
enum err transfer_slide(struct desk *d, int by);                /* tenths; only where there is a slider */

/* act_keys.c */
act_fn act_piano, act_keys;

/* keymap.c: keys that lie over those of the table and take what stands in the way. */
struct overlay { const char *action; enum keys in; const char *keys; };
void keymap_piano(const char *keys, struct str *gone);  /* of key-note in STEP; *gone gets the keys it took */
void keymap_overlay(const struct overlay *rows, size_t n);

/* act_suggest.c */
act_fn act_suggest, act_accept;
#define SUGGESTION_STEP "suggestion"     /* what undo calls an accepted one */
void suggestion_undone(struct desk *d, const struct song *was);   /* the hand goes back to where it was accepted */

/* act_pane.c */
act_fn act_pane, act_waterfall, act_maximize, act_row, act_adjust, act_mouse;

/* command.c: how every action is run */
NODISCARD enum err action_run(struct desk *d, const struct action *a, int argc, char **argv);
/* words.c */
void complete_file(const char *start, struct words *out);

/* A whole number in [lo, hi], or an error that names it. */
NODISCARD enum err arg_int(const char *text, int lo, int hi, int *out);
/* "1/8", "1/8." or "1/8t" in ticks. */
NODISCARD enum err arg_len(const char *text, int32_t *out);
/* "on", "off" or nothing, which is the other of them. */
NODISCARD enum err arg_switch(int argc, char **argv, bool *on);
/* "+3" and "-3" are relative to `now`, anything else is absolute. */
NODISCARD enum err arg_step(const char *text, int now, int lo, int hi, int *out);
