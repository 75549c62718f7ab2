/* piano_data.h: training batches of the pianist from a file of works. Which works, from which quarter and
 * under whose name is a pure function of (seed, split, index). */
#pragma once
#include "pianist.h"
#include "steptrain.h"
#include "works.h"

struct piano_data_opts {
    uint64_t seed;
    int rows, time;
    double no_composer, no_style;   /* shares of windows shown under their era alone, under no name */
    double no_key;                  /* share of windows shown without their key */
    double balance;                 /* a composer's share goes with the amount of music to this power */
};
struct piano_data;
/* Borrows the data set. ERR_EMPTY when the training side holds nothing. */
NODISCARD enum err piano_data_new(const struct works *w, const struct styles *s, const struct piano_data_opts *o,
                                  struct piano_data **out);
void piano_data_free(struct piano_data *d);
bool piano_data_held_out(const struct piano_data *d);
void piano_data_fill(void *piano_data, enum step_split s, uint64_t index, struct step_batch *out);

/* The styles of a file of works: its eras, and composers of at least so many training pieces. */
enum { STYLE_MIN_WORKS = 8 };
void styles_of_works(const struct works *w, struct styles *out);
/* The style of a work: its composer, else its era. */
int style_of_work(const struct works *w, const struct work *k, const struct styles *s);
struct key key_of_work(const struct work *k);
/* A work as steps are made of it, its frames included. */
void piano_piece_of_work(const struct work *k, struct piano_piece *out);
