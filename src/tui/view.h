/* view.h: what is on the screen. struct ui is the state a frame is drawn from: the desk plus what only the
 * screen knows (scroll, overlay, the prompt being typed). A view is a row of functions; ui_draw stacks the
 * views over the height there is and draws them into a grid. No view knows curses, time or threads. */
#pragma once
#include "cell.h"
#include "desk.h"
#include "pick.h"
#include "pointer.h"
#include "prompt.h"

enum { MIN_W = 60, MIN_H = 16, MAX_COLS = 512, GUTTER = 11, SIDE_W = 37 };

/* Signs in both tiers; every state has a sign, never a colour alone. */
struct signs {
    uint32_t line, rule, dot, head, hold, offgrid, strange, ghost_head, ghost_hold, maybe_head, maybe_hold, sound[4], playing, stopped, focus, full, empty, down;
    uint32_t corner[4], edge_h, edge_v;
};
extern const struct signs signs_ascii, signs_utf8;

/* One column right of the gutter: a bar line, or `grid` ticks of music. */
struct col { int32_t tick, end; int bar; bool line; };
struct cols { struct col at[MAX_COLS]; int n; };

enum over { OVER_NONE, OVER_PROMPT, OVER_PICK, OVER_PAGE, OVER_IMPORT, OVER_ASK_QUIT, OVER_ASK_RECOVER };

/* A note in the pointer's hand, as it was when the button went down. */
struct grab { bool live, found, resize, moved; int base; int32_t tick; int pitch; struct note was; };

struct ui {
    struct desk *desk;
    const struct signs *signs;
    char midi_out[64], midi_in[64];
    float level[2], meter[N_ROLES]; /* left and right; what the tracks play: 0..1, falling slowly */
    int counting;                   /* beats before it begins */
    char sound[64], compute[32];    /* what plays and what computes, for people */
    int first_bar;                  /* scroll */
    int top_pitch;                  /* topmost line of the roll, as desk_line counts */
    struct cols cols;               /* of this frame */
    struct key key;                 /* likewise: estimating it takes a walk over the song */
    enum over over;
    struct prompt prompt;
    struct pick pick;
    const char *page_title;         /* of a text laid over everything: `?`, the import report */
    struct words page;              /* its lines */
    int page_top, page_rows;        /* first line shown; how many were shown last */
    int import_row;                 /* of the import page */
    char page_find[64];             /* what is looked for in it */
    bool page_typing;               /* and being typed */
    const char *orphan;             /* what there is to recover, and from when */
    enum pane shown;                /* what has the roll's place in this frame */
    bool alone;                     /* and whether it has the strips' too */
    struct { const struct view *view; struct rect r; } place[20];   /* of the last frame, for the pointer */
    int n_places;
    struct { const struct view *view; struct rect r; } held;        /* where a button went down */
    struct grab grab;
    bool follow;                    /* the view pages with the playhead */
};

struct view {
    const char *name;
    int (*rows)(const struct ui *ui, int w, int h);     /* 0 = not shown, -1 = takes what is left */
    void (*draw)(const struct ui *ui, struct grid *g, struct rect r);
    void (*click)(struct ui *ui, struct rect r, int x, int y);  /* a button goes down; NULL = nothing happens */
    /* It moves while down, also beyond r, and at last goes up; NULL = nothing happens. */
    void (*drag)(struct ui *ui, struct rect r, int x, int y, bool released);
};
extern const struct view view_header, view_form, view_ruler, view_strips, view_track, view_roll, view_lanes, view_takes,
    view_message, view_status, view_footer;
extern const struct view view_takes_box, view_generate, view_track_box, view_mixer, view_output, view_fall;

void ui_init(struct ui *ui, struct desk *d, bool ascii);
void ui_fini(struct ui *ui);
void ui_pointer(struct ui *ui, struct pointer p);           /* on the last frame */
void ui_command(struct ui *ui, const char *line);           /* what a click means: run it, tell what went wrong */
void ui_page(struct ui *ui, const char *title, const struct str *text);   /* lay a text over everything */
void ui_scroll_page(struct ui *ui, int by);                 /* by lines, within the text */
void ui_find_page(struct ui *ui, int by);                   /* to the next (1) or previous (-1) line with page_find */
/* Scroll so that the cursor (or the playhead, when following) is visible, then draw all of it. */
void ui_draw(struct ui *ui, struct grid *g);

/* Shared by views. */
enum style style_of(int role);
int bars_shown(const struct desk *d);                    /* of the song, and one more for what is suggested behind it */
int col_of(const struct cols *c, int32_t tick);          /* column showing that tick, -1 */
const struct col *col_at(const struct ui *ui, int x);    /* music at a column of the screen, or NULL */
/* Selected, at a column of a track; pitch -1: at any. */
bool col_selected(const struct desk *d, const struct col *c, int track, int pitch);
bool key_has(struct key k, int pitch);
void ground(struct grid *g, int x, int y, enum ground what);
void draw_bars(const struct ui *ui, struct grid *g, int y);   /* the bar lines of one row */
bool pane_focused(const struct ui *ui, enum pane p);
void draw_box(const struct ui *ui, struct grid *g, struct rect r, const char *title);
/* A box that shows whether its pane has the focus. */
void draw_pane(const struct ui *ui, struct grid *g, struct rect r, enum pane p, const char *title);
int first_row(int at, int n, int room);                  /* of n rows, so that row `at` is within `room` of them */
void draw_meter(const struct ui *ui, struct grid *g, int x, int y, int w, float level);
void draw_popup(const struct ui *ui, struct grid *g);
void draw_page(const struct ui *ui, struct grid *g);
void draw_pick(const struct ui *ui, struct grid *g);
void draw_prompt(const struct ui *ui, struct grid *g);
void draw_ask(const struct ui *ui, struct grid *g);
void draw_import(const struct ui *ui, struct grid *g);
void import_ask(struct ui *ui);               /* lay the page over everything; the desk has an import */
void import_key(struct ui *ui, int key);
void draw_ask_recover(const struct ui *ui, struct grid *g);
/* A key while something lies over the views; what was answered that is more than the screen's own affair. */
enum answer { ANSWER_NONE, ANSWER_LEAVE, ANSWER_RECOVER, ANSWER_DISCARD };
enum answer over_key(struct ui *ui, int key);
void draw_progress(const struct ui *ui, struct grid *g, int x, int y, int w, double fraction);
void format_place(const struct desk *d, int32_t tick, char out[16]);   /* "003.2.3" */
void format_len(int32_t ticks, char out[16]);                          /* "1/8", "1/8." */
