/* piano_style.h: the styles of the families that play the piano: composers, and the eras they belong to. Their names
 * are in the weight file, and come from the data it was trained on. */
#pragma once
#include "err.h"
#include "works.h"
struct ckpt_writer; struct stepnet; struct str;

enum { STYLES_MAX = 96 };

/* Composers come first, then eras; a composer brings the era along. */
struct style { char name[32]; int era; };  /* index of the era among the styles; of an era, its own */
struct styles { int n, n_composers; struct style at[STYLES_MAX]; };
/* "baroque/bach,baroque" and back; ERR_FORMAT. */
NODISCARD enum err styles_parse(const char *text, struct styles *out);
void styles_print(const struct styles *s, struct str *out);
/* The head of a weight file: family, grid, styles, and the options that shape the network. */
void styles_meta(const struct styles *s, const char *family, const char *grid, const struct stepnet *net, int context,
                 struct ckpt_writer *w);
/* Adds a style's weight to a row of the network's style weights [n]. */
void styles_weigh(const struct styles *s, int style, float weight, float *row);

/* The styles of a file of works: its eras, and composers of at least so many training pieces. */
enum { STYLE_MIN_WORKS = 8 };
void styles_of_works(const struct works *w, struct styles *out);
/* The style of a work: its composer, else its era. */
int style_of_work(const struct works *w, const struct work *k, const struct styles *s);
