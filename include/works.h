/* works.h: training data of the piano models. A works file holds whole pieces for piano, all tracks merged, as
 * notes on the columns of quarter.h, with era, composer, metre and key. Editions and movements of one work, and
 * pieces that share music whatever they are called, form a group; the split into training and held-out pieces never
 * divides one. Built by dataset_build, opened by dataset_open (phrase.h), checked as hostile. */
#pragma once
#include <stddef.h>
#include "quarter.h"

struct qmetre { int32_t start; uint8_t num, den; };  /* from a column on; the bar begins there */

struct work {
    const struct qnote *notes; uint32_t n;           /* the first bar line is column 0 */
    const struct qmetre *metres; uint32_t n_metres;  /* sorted, the first at column 0 */
    uint32_t quarters;                               /* that hold every note */
    uint16_t era, composer;  /* indices into the names; composer WORK_UNKNOWN where nobody is named */
    uint16_t group;          /* of pieces that belong together */
    uint16_t editions;       /* files that hold this same piece: weigh it by 1 / editions */
    uint16_t bpm;            /* quarters a minute at its start */
    uint8_t tonic, minor;    /* key of the piece; tonic 255 unknown */
    uint8_t set;             /* which of the folders it came from */
    bool held_out;
};
enum { WORK_UNKNOWN = UINT16_MAX };

struct works;
size_t works_n(const struct works *w);
struct work works_get(const struct works *w, size_t i);          /* borrowed until the data set is closed */
const char *works_name(const struct works *w, size_t i);         /* path within the folder */
size_t works_n_eras(const struct works *w);
const char *works_era(const struct works *w, size_t e);
size_t works_n_composers(const struct works *w);
const char *works_composer(const struct works *w, size_t c);
size_t works_n_groups(const struct works *w);
const char *works_set(const struct works *w, size_t s);

/* The bar that a column lies in: the column it begins at, and its metre. */
struct qmetre work_bar(const struct work *w, int32_t column);
