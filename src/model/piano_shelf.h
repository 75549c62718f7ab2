/* piano_shelf.h: the pieces of a works file as training takes them off the shelf: which one, under whose name, told
 * its key or not. */
#pragma once
#include "piano_style.h"
#include "piano_work.h"
#include "rng.h"
#include "steptrain.h"

struct opts;
struct shelf_opts {
    double no_composer, no_style;   /* shares of windows shown under their era alone, under no name */
    double no_key;                  /* share of windows shown without their key */
    double balance;                 /* a composer's share goes with the amount of music to this power */
};
/* Rows of a family's option table, and the values read from it. */
#define SHELF_OPTIONS \
    { "no-composer", 0, OPT_REAL, 0, 1, "0.3", NULL, "X", "share of music shown under its era alone" }, \
    { "no-style", 0, OPT_REAL, 0, 1, "0.05", NULL, "X", "share of music shown under no name" }, \
    { "no-key", 0, OPT_REAL, 0, 1, "0.2", NULL, "X", "share of music shown without its key" }, \
    { "balance", 0, OPT_REAL, 0, 1, "0.35", NULL, "X", "composers are heard by amount of music to this power" }
struct shelf_opts shelf_opts_from(const struct opts *o);

struct shelf_piece { struct piano_piece piece; size_t work; int style; struct key key; };  /* style -1 = none */
struct shelf;
/* Borrows works and styles. ERR_EMPTY when the training side holds nothing. */
NODISCARD enum err shelf_new(const struct works *w, const struct styles *s, const struct shelf_opts *o, struct shelf **out);
void shelf_free(struct shelf *s);
bool shelf_held_out(const struct shelf *s);
/* Draws, in this order: a piece; how it is shown. */
const struct shelf_piece *shelf_draw(const struct shelf *s, enum step_split split, struct rng *r);
struct key shelf_key(const struct shelf *s, const struct shelf_piece *p, struct rng *r);         /* or unknown */
void shelf_style(const struct shelf *s, const struct shelf_piece *p, struct rng *r, float *row); /* weights [n] */
