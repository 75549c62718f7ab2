/* train.h: the training loop, one for every model family. It owns time, files and the terminal line; what
 * an update is, the family says (model.h). A folder holds one run: checkpoint.safetensors (everything that
 * a resumed run needs), NAME.safetensors (the best weights so far by loss on held-out data), NAME-last.safetensors
 * (those of the last checkpoint: likelihood and music need not agree, `jamroll eval` tells), log.tsv, run.conf (every
 * option and the hash of the data set: `train --config run.conf` repeats it) and, if it is to play as it goes, samples/
 * and figures.tsv. */
#pragma once
#include "model.h"

struct train_opts {
    const struct model_kind *kind;
    const struct opts *opts;       /* values for kind->options */
    const char *data, *out;        /* data set file; folder of the run, made if missing */
    const char *name;              /* of the model; NULL = the family's */
    const char *licence, *source;  /* of the weights, of the data; written into the file; NULL = left out */
    const char *device;            /* NULL = "auto": a GPU if one can be used; if its memory is too small, the CPU */
    enum precision precision;      /* of products on a GPU */
    int threads;                   /* 0 = all cores */
    long steps;                    /* updates in all; 0 = until the time is up */
    double minutes;                /* in all, over resumes; 0 = no limit. One of the two must be set. */
    double save_minutes;           /* between checkpoints; 0 = 5 */
    long eval_every, log_every;    /* updates; 0 = 500 and 50 */
    bool samples;                  /* play now and then: MIDI and pictures, figures beside the data's */
    long sample_every;             /* updates; 0 = as eval_every */
    bool resume;                   /* go on from the checkpoint in `out` if there is one */
    bool quiet;                    /* no progress line */
    const atomic_bool *stop;       /* besides Ctrl-C; may be NULL */
};

struct train_result {
    long steps;
    double seconds;
    double losses[4], held_out[4]; /* last means; held_out NaN when nothing was held out */
    bool interrupted;
};

/* Train until the steps or the minutes are used up, or Ctrl-C: then everything is saved as well. With a time
 * limit the learning rate follows the share of time used; with steps alone a run is repeatable from its
 * seed and resumes to the same weights. */
NODISCARD enum err train_run(const struct train_opts *o, struct train_result *result);
