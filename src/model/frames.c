/* frames.c: the frames' row in the registry: options, networks, weight files with their vocabularies. */
#include "frames.h"
#include <stdlib.h>
#include <string.h>
#include "ckpt.h"
#include "kinds.h"
#include "mem.h"
#include "opt.h"
#include "str.h"

static const struct opt options[] = {
    { "time", 0, OPT_ENUM, 0, 0, "beats", "beats|clock", "WAY", "frames: sixteenths counted from bar lines, or five a second" },
    { "chords", 0, OPT_INT, VOCAB_MIN, VOCAB_MAX, "1500", NULL, "N", "size of the vocabulary at most, rests included" },
    { "window", 0, OPT_INT, 2, 512, "32", NULL, "N", "frames the network reads" },
    { "embed", 0, OPT_INT, 1, 1024, "100", NULL, "N", "width of a token" },
    { "width", 0, OPT_INT, 1, 1024, "128", NULL, "N", "width of a layer in each direction" },
    { "hidden", 0, OPT_INT, 1, 1024, "128", NULL, "N", "width before the output" },
    { "bar", 0, OPT_INT, 0, 1, "1", NULL, "0|1", "beats: a frame is told its place in the bar" },
    { "rows", 0, OPT_INT, 1, 65536, "32", NULL, "N", "windows a batch" },
    { "lr", 0, OPT_REAL, 0, 1, "0.002", NULL, "X", "highest learning rate" },
    { "lr-floor", 0, OPT_REAL, 0, 1, "0.02", NULL, "X", "learning rate at the end, as a share of the highest" },
    { "warmup", 0, OPT_INT, 1, 1000000, "200", NULL, "N", "updates until the highest learning rate" },
    { "clip", 0, OPT_REAL, 0, 1000, "1", NULL, "X", "largest gradient norm, 0 = any" },
    { "ema", 0, OPT_REAL, 0, 0.99999, "0.998", NULL, "X", "decay of the averaged weights that ship" },
    { "dropout", 0, OPT_REAL, 0, 0.9, "0.1", NULL, "X", "dropout between the layers while training" },
    { "seed", 0, OPT_INT, 0, 2147483647, "1", NULL, "N", "seed of the weights and of the order of the data" },
};

enum err frames_net_from(const struct opts *o, int tokens, struct frames_net *out)
{
    *out = (struct frames_net){ .tokens = tokens, .embed = (int)opts_int(o, "embed"), .width = (int)opts_int(o, "width"),
                                .hidden = (int)opts_int(o, "hidden"), .window = (int)opts_int(o, "window"),
                                .bar = opts_int(o, "bar") && strcmp(opts_text(o, "time"), "beats") == 0,
                                .dropout = opts_real(o, "dropout") };
    if (tokens < VOCAB_MIN || tokens > VOCAB_MAX)
        return err_set(ERR_RANGE, "frames: %d tokens; %d to %d are possible", tokens, VOCAB_MIN, VOCAB_MAX);
    return ERR_OK;
}

struct model *frames_model_new(struct device *d, const struct frames_net *net)
{
    struct model *m = xcalloc(1, sizeof *m);
    m->net = *net;
    m->device = d;
    m->params = params_new();
    return m;
}

void frames_model_free(struct model *m)
{
    if (!m)
        return;
    frames_reader_free(m->reader);
    frames_trainer_free(m->trainer);
    frame_vocab_fini(&m->vocab);
    params_free(m->params);
    free(m);
}

static size_t count(const struct frames_net *c)
{
    struct net n = { .g = graph_new(), .p = params_new() };
    frames_build(&n, c, 1);
    size_t params = params_count(n.p);
    graph_free(n.g);
    params_free(n.p);
    return params;
}

static int nets(const struct opts *o, struct model_net *out, int cap)
{
    struct frames_net c;
    if (cap < 2 || frames_net_from(o, (int)opts_int(o, "chords"), &c) != ERR_OK)
        return 0;
    out[0] = (struct model_net){ "frames", count(&c) };
    out[1] = (struct model_net){ "by the clock, 201 chords", count(&frames_original) };
    return 2;
}

/* ---- weight files ---- */

/* [V,4]: words of 32 pitches, the lowest first. */
enum err frames_vocab_load(const struct ckpt *w, struct frame_vocab *out)
{
    const char *time = ckpt_meta(w, "option.time");
    struct ckpt_tensor t;
    if (!time || (strcmp(time, "beats") && strcmp(time, "clock")))
        return err_set(ERR_FORMAT, "option.time is neither beats nor clock");
    if (!ckpt_find(w, "vocabulary", &t) || t.dtype != I32 || t.shape.rank != 2 || t.shape.dim[1] != 4 ||
        t.shape.dim[0] < VOCAB_MIN || t.shape.dim[0] > VOCAB_MAX)
        return err_set(ERR_FORMAT, "its vocabulary is not %d to %d chords", VOCAB_MIN, VOCAB_MAX);
    int n = t.shape.dim[0];
    struct frame_set *set = xcalloc((size_t)n, sizeof *set);
    for (int i = 0; i < 4 * n; i++) {
        uint32_t word;
        memcpy(&word, (const char *)t.data + (size_t)i * sizeof word, sizeof word);
        set[i / 4].key[i % 4 / 2] |= (uint64_t)word << 32 * (i % 2);
    }
    enum err err = frame_vocab_init(out, strcmp(time, "beats") ? FRAMES_CLOCK : FRAMES_BEATS, set, n);
    free(set);
    return err;
}

static enum err read_config(const struct ckpt *w, int tokens, struct frames_net *net)
{
    struct opts *o;
    TRY(ckpt_options(w, options, COUNT_OF(options), &o));
    enum err err = frames_net_from(o, tokens, net);
    opts_free(o);
    return err;
}

static enum err open_weights(struct device *d, const struct ckpt *w, struct model **out)
{
    const char *family = ckpt_meta(w, "family"), *name = ckpt_meta(w, "name");
    struct frame_vocab vocab;
    struct frames_net net;
    if (!family || strcmp(family, "frames"))
        return err_set(ERR_FORMAT, "not of the family frames");
    TRY(frames_vocab_load(w, &vocab));
    enum err err = read_config(w, vocab.n, &net);
    if (err != ERR_OK) {
        frame_vocab_fini(&vocab);
        return err;
    }
    struct model *m = frames_model_new(d, &net);
    m->vocab = vocab;
    str_copy(m->name, sizeof m->name, name ? name : "frames");
    str_copy(m->hash, sizeof m->hash, ckpt_hash(w));
    err = frames_reader_new(m, w, &m->reader);
    if (err != ERR_OK) {
        frames_model_free(m);
        return err;
    }
    *out = m;
    return ERR_OK;
}

static const char *const loss_names[] = { "token", NULL };

const struct model_kind frames_kind = {
    .name = "frames",
    .title = "The frames: piano music written on frame by frame, and what could come next at any place",
    .verbs = 1u << VERB_GENERATE | 1u << VERB_CONTINUE | 1u << VERB_SUGGEST,
    .options = options, .n_options = COUNT_OF(options),
    .nets = nets,
    .open = open_weights, .close = frames_model_free, .run = frames_run,
    .evaluate = frames_evaluate,
    .train_open = frames_train_open, .train_step = frames_train_step, .train_horizon = frames_train_horizon,
    .train_samples = frames_train_samples,
    .loss_names = loss_names, .train_eval = frames_train_eval, .train_save = frames_train_save,
};
