/* desk.h: a session and what lies under the composer's hand: cursor, mode, note length, selection, loop,
 * the running job; and doors to what makes sound and music. A front end (screen, batch) owns a desk, opens
 * the doors it has, and runs commands on it (command.h). Knows neither terminal nor thread. */
#pragma once
#include "session.h"
#include "song.h"
#include "str.h"

enum mode { MODE_NORMAL, MODE_STEP, MODE_SELECT, N_MODES };
const char *mode_name(enum mode m);

/* What has the focus. Tab goes round the first N_TAB_PANES. STEP and SELECT are always on the roll. */
enum pane { PANE_ROLL, PANE_TAKES, PANE_GENERATE, PANE_MIXER, N_TAB_PANES, PANE_FALL = N_TAB_PANES, N_PANES };
const char *pane_name(enum pane p);

struct render_opts;
/* Any door may be NULL: the commands that need it then say so. All return at once. */
struct doors {
    void *ctx;
    NODISCARD enum err (*submit)(void *ctx, const char *model, const struct request *rq, int *job);
    void (*cancel)(void *ctx, int job);
    NODISCARD enum err (*play)(void *ctx, int32_t from);
    void (*stop)(void *ctx);
    void (*panic)(void *ctx);
    void (*loop)(void *ctx, int32_t from, int32_t to);           /* to <= from: none */
    void (*audition)(void *ctx, int channel, int program, int pitch, int vel);
    NODISCARD enum err (*render)(void *ctx, const struct song *song, const struct render_opts *o, const char *path); /* wav.h */
    void (*cancel_render)(void *ctx);
    NODISCARD enum err (*render_stems)(void *ctx, const struct song *song, const char *path); /* stem.h */
};

/* What a command asks of its front end, beyond the desk itself. */
enum want { WANT_NOTHING, WANT_QUIT, WANT_ASK_QUIT, WANT_PROMPT, WANT_HELP, WANT_REPORT, WANT_IMPORT,
            WANT_SUSPEND, WANT_REDRAW, WANT_PALETTE, WANT_FIND, WANT_FILES, WANT_LOG };
/* Whether the sound must follow the song: at once (an edit) or at the next bar line (another take). */
enum stale { STALE_NO, STALE_BAR, STALE_NOW };

/* Sound as it is wanted, also before there is a player. */
enum { DEVICE_NAME = 128 };
struct sound_wish {
    bool click, clock;
    int count_in;                            /* bars before playing */
    int latency_ms;                          /* -1: the driver's */
    int32_t input_grid;                      /* ticks that recorded notes are moved to; 0 = as played */
    char audio[32], midi_out[DEVICE_NAME], midi_in[DEVICE_NAME];
};
enum record { RECORD_OFF, RECORD_STEP, RECORD_LIVE };

enum { STEP_KEYS = 29 };                     /* keys of the two-row piano */

/* What SELECT mode holds: a rectangle of the focused track's roll, the span of several tracks, whole bars of
 * several tracks, or single notes that a command chose. */
enum select { SELECT_NOTES, SELECT_TRACKS, SELECT_BARS, SELECT_PICKED };
/* Ticks [from,to); the rest inclusive. Rows are lines of the roll: of the kit not its pitches. */
struct area { int32_t from, to; int track0, track1, low, high; };
struct noteref { int32_t tick; uint8_t track, pitch; };                /* names a note */
struct picks { struct noteref *at; size_t n, cap; };                   /* sorted by track, tick, pitch */

/* What could come next at the cursor, the likeliest first. It is there while cursor and music are as they were. */
struct suggest {
    bool by_itself;                          /* wanted after every step of STEP mode */
    bool asked;                              /* by hand: it sounds, and is told of when there is none */
    int job;                                 /* -1 none */
    int track, section;
    int32_t tick;
    uint64_t version;
    struct suggestion at[SUGGESTIONS];
    int n, now;
};

/* What was yanked. */
struct clip {
    struct clip_note { int track; struct note note; } *at;          /* ticks count from the clip's start */
    size_t n, cap;
    int32_t ticks;
    int track0, track1;
    bool cells, bars;                        /* replaces what it is put on; goes to the start of a bar */
};

struct desk {
    struct session *session;
    struct doors doors;
    struct model_info *models;               /* owned */
    size_t n_models;

    enum mode mode;
    enum pane pane;
    bool maximised;                          /* the pane has the screen to itself */
    int row[N_PANES];                        /* cursor of each pane, within desk_rows */
    int track, pitch;                        /* cursor */
    int32_t tick;
    int32_t grid;                            /* ticks of one column; what left and right move by */
    int32_t len;                             /* of the next note */
    int vel, octave;
    bool chord;                              /* step mode: notes do not advance */
    int32_t last_tick;                       /* step mode: where the last note was written, -1 none */
    enum select select;
    int32_t anchor_tick;                     /* select mode: the corner opposite to the cursor */
    int anchor_track, anchor_pitch;          /* track -1: all of them */
    struct picks picks;                      /* the selected notes, once an edit or a command has named them */
    struct area picks_of;                    /* ... as long as this is what is selected */
    struct clip clip;
    struct suggest suggest;
    bool lock;                               /* notes entered by hand are of the key */
    bool ghosts;                             /* notes of other tracks shown */
    int middle_c;                            /* octave in the name of MIDI note 60: 3 or 4 */
    bool whole;                              /* no cursor to see: commands on notes mean all of them */
    bool loop;
    int32_t loop_from, loop_to;
    struct player *player;                   /* borrowed; NULL = no sound here */
    struct sound_wish sound;
    int32_t play_to;                         /* of what plays: to there, without the loop; 0 = to the end */
    uint64_t play_tracks;                    /* only these (a mask); 0 = as muted and soloed */
    enum record record;
    struct pass *pass;                       /* what is being recorded; owned by act_record.c */
    int pending;                             /* prefix key waiting for its second */

    int job;                                 /* running job, -1 none */
    enum verb verb;                          /* of the last request */
    int job_bar0, job_bars, job_takes, job_got, job_empty, job_twins;
    bool job_chosen;
    struct transfer_wish { char to[32], from[32]; bool back; uint64_t heard; } transfer; /* the last one asked for;
                                                how many of its takes were */
    double mix;                              /* where between A and B the hand last wanted to be */
    double job_began;

    bool mouse;                              /* wanted */
    bool chained;                            /* what plays is the chain, not the section under the hand */
    int sounding, sounding_bar;              /* the place that sounds while the chain plays, else -1; its bar */
    int play_place;                          /* where playing began */
    bool only_here;                          /* exports write the section under the hand alone */
    bool playing, rendering;                 /* kept up to date by the front end */
    int32_t playhead;
    double progress, render_progress;

    enum stale stale;
    int heard_bar;                           /* where the playhead was when the front end last asked */
    enum want want;
    char want_text[128];
    char message[256];
    bool message_bad;
    struct str report;                       /* what the import changed or dropped, plain lines */
    bool asks;                               /* the front end has a page for what is not certain of an import */
    struct import *import;                   /* the last foreign file and what was made of it, or NULL */
    char *import_path;
};

void desk_init(struct desk *d);              /* an empty band */
void desk_fini(struct desk *d);
/* A foreign file that raises questions is not opened where the front end can ask: WANT_IMPORT, and d->import holds
 * the proposal for desk_import. */
NODISCARD enum err desk_open(struct desk *d, const char *path);
NODISCARD enum err desk_import(struct desk *d);             /* d->import becomes the session */
void desk_opened(struct desk *d);                           /* the message after either */
NODISCARD enum err desk_recover(struct desk *d, const char *journal);   /* journal.h */
void desk_models(struct desk *d, struct model_info *list, size_t n); /* ownership moves in */
const struct model_info *desk_model(const struct desk *d);  /* what will answer, or NULL */
void desk_event(struct desk *d, struct event *ev);          /* from the engine; takes what it carries */
/* Whether the sound must follow the song now that the playhead is where it is; asked often, at least once a bar. */
bool desk_must_show(struct desk *d);
void desk_say(struct desk *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
void desk_complain(struct desk *d);                         /* this thread's last error becomes the message */

void desk_set_player(struct desk *d, struct player *p);     /* and tell it what was set; p is borrowed */
struct heard;
void desk_heard(struct desk *d, const struct heard *h);     /* a note of the MIDI input */
void desk_stop_recording(struct desk *d);
void desk_moved(struct desk *d);                            /* playing and playhead are new: a take may be over */

struct track *desk_track(const struct desk *d);
int desk_bar(const struct desk *d);                         /* of the cursor, within the song */
bool desk_drums(const struct desk *d);                      /* the focused track is the kit */
void desk_goto(struct desk *d, int32_t tick);               /* clamped to the song, snapped to the grid */
void desk_fit(struct desk *d);                              /* the song may be shorter now: cursor, selection, loop */
void desk_pitch(struct desk *d, int pitch);
/* Lines of the roll from below: pitches; on the kit its pieces, the usual ones first. */
int line_of(int track, int pitch);
int pitch_of_line(int track, int line);
void desk_focus(struct desk *d, int track);
struct span { int bar0, bar1, track0, track1; };            /* inclusive */
struct span desk_selection(const struct desk *d);           /* cells of the selection, or the one at the cursor */
struct area desk_area(const struct desk *d);                /* what is selected, or the cursor's column and row */
struct area desk_reach(const struct desk *d);               /* what is selected, or the track; in a batch the song */
bool desk_selected(const struct desk *d, int track, const struct note *n);  /* in SELECT mode */
/* Write a note where the cursor is, as a key of STEP mode does: lock, growth, audition, one undo step. `stay`
 * for notes of a chord: desk_step_on goes on when all are there. */
NODISCARD enum err desk_enter(struct desk *d, int pitch, int vel, bool stay);
void desk_step_on(struct desk *d);
bool desk_note_at(const struct desk *d, struct note *out);  /* the note under the cursor */
/* `was` of the focused track becomes `now`; either may be NULL. Called again in one gesture, which began with
 * `base` steps to undo, it takes its last answer back first: a gesture is one step. */
void desk_drag(struct desk *d, int base, const struct note *was, const struct note *now);
struct key desk_key(const struct desk *d);                  /* asked for, or heard in the song */
int desk_rows(const struct desk *d, enum pane p);           /* rows the pane's cursor may stand on; 0 none */
int desk_row(const struct desk *d, enum pane p);            /* that cursor, -1 when there are no rows */
int desk_take(const struct desk *d);                        /* under the hand: in the takes pane the row's, else the
                                                             * chosen one; -1 none */
double transfer_slider(const struct desk *d);               /* strength of the chosen take when the last request was a
                                                             * transfer and made it, else -1 */
/* Likewise what a judge said of it: the genre it went to, how much of it the music was taken for before and after, in
 * percent. False where nobody judged. */
bool transfer_judged(const struct desk *d, char genre[32], int *before, int *after);
int desk_lock(const struct desk *d, int pitch);             /* the pitch that scale lock makes of it */
/* Suggestions (act_suggest.c). */
const struct suggestion *desk_suggestion(const struct desk *d);  /* the one shown, or NULL */
bool desk_suggesting(const struct desk *d);                      /* one is, or was asked for by hand and will be */
void desk_drop_suggestion(struct desk *d);
void desk_keep_suggestion(struct desk *d);                       /* or drop it, where the hand has left it */
void desk_may_suggest(struct desk *d);                           /* the cursor went on in STEP mode */
bool desk_suggest_event(struct desk *d, struct event *ev);       /* whether it is of the suggestion's job */
/* Sections (form_desk.c). Ticks of the desk are those of the section under the hand; what plays may be the chain. */
struct song *desk_music(const struct desk *d);              /* what plays; the caller frees it */
NODISCARD enum err desk_music_tick(struct desk *d, int32_t *tick);  /* of the section -> of what plays from there */
/* The player is at that tick; the hand goes along when it may. */
void desk_hear(struct desk *d, int32_t tick, bool may_follow);
void desk_played_out(struct desk *d);
void desk_chained(struct desk *d, bool on);
void desk_go(struct desk *d, int section, int place);       /* move the hand */
void desk_leave(struct desk *d);                            /* before it is or may be another one */
void desk_arrive(struct desk *d);                           /* the section under the hand is another one now */
bool desk_go_along(struct desk *d, int by);                 /* to the next place or the one before; false at the ends */
void desk_to_top(struct desk *d);                           /* where what plays begins */
struct song *desk_written(const struct desk *d);            /* what exports write; the caller frees it */
void desk_form_note(const struct desk *d, struct str *out); /* "  (A A B A, 16 bars)", or nothing without a form */
int desk_step_pitch(const struct desk *d, int n);           /* pitch of step key n; -1 none */
const char *desk_step_key(int n);                           /* its key as text */
