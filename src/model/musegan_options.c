/* musegan_options.c: the family's options, and those among them that a weight file carries. */
#include <string.h>
#include "ckpt.h"
#include "musegan.h"

const struct opt musegan_options[] = {
    {"bars", 0, OPT_INT, 1, MUSEGAN_MAX_BARS, "4", NULL, "N", "bars of a phrase"},
    {"steps", 0, OPT_ENUM, 0, 0, "48", "16|32|48|96", "N", "steps of a bar"},
    {"octaves", 0, OPT_ENUM, 0, 0, "7", "3|5|7", "N", "octaves of the grid"},
    {"low", 0, OPT_INT, 0, 48, "24", NULL, "PITCH", "lowest pitch of the grid"},
    {"width", 0, OPT_REAL, 0.01, 2, "1", NULL, "X", "channel counts times this; 1 = as published"},
    {"condition", 0, OPT_ENUM, 0, 0, "none", "none|drums|piano|guitar|bass|strings", "TRACK",
     "accompany this track"},
    {"generator", 0, OPT_ENUM, 0, 0, "default",
     "default|bad-time|bad-pitch|jamming|composer|hybrid|binary|binary-small|binary-jamming|binary-composer|"
     "binary-hybrid",
     "KIND", "network that plays"},
    {"critic", 0, OPT_ENUM, 0, 0, "default",
     "default|no-chroma|no-onset|bare|phrase|phrase-each|binary|binary-small", "KIND", "network that judges"},
    {"refiner", 0, OPT_ENUM, 0, 0, "off", "off|on", NULL, "a second network after the generator"},
    {"neurons", 0, OPT_ENUM, 0, 0, "none", "none|deterministic|stochastic", "KIND",
     "cells on or off in training"},
    {"slope", 0, OPT_REAL, 0.01, 1000, "5", NULL, "X", "of the neurons' sigmoid when annealed, from 1"},
    {"slope-from", 0, OPT_INT, 0, 1e9, "10000", NULL, "STEP",
     "the slope rises linearly from this generator update"},
    {"slope-to", 0, OPT_INT, 1, 1e9, "50000", NULL, "STEP", "to this one"},
    {"sampling", 0, OPT_ENUM, 0, 0, "bernoulli", "bernoulli|threshold", "KIND", "how cells become notes"},
    {"spread", 0, OPT_REAL, 0.001, 10, "1", NULL, "X", "deviation of the latents"},
    {"cut", 0, OPT_REAL, 0, 10, "2", NULL, "X", "latents are drawn again beyond so many deviations; 0 = not"},
    {"train", 0, OPT_ENUM, 0, 0, "generator", "generator|refiner|both", "NET",
     "which learns beside the critic"},
    {"start", 0, OPT_TEXT, 0, 0, NULL, NULL, "FILE", "begin with a checkpoint's networks"},
    {"loss", 0, OPT_ENUM, 0, 0, "wasserstein", "wasserstein|hinge|nonsaturating|classic", "KIND",
     "adversarial loss"},
    {"penalty", 0, OPT_REAL, 0, 1000, "10", NULL, "X", "weight of the gradient penalty; 0 = none"},
    {"clip", 0, OPT_REAL, 0, 1000, "0", NULL, "X", "largest weight of the critic; 0 = any"},
    {"lr", 0, OPT_REAL, 0, 1, "0.001", NULL, "X", "learning rate of both networks"},
    {"critic-lr", 0, OPT_REAL, 0, 1, "0", NULL, "X", "of the critic, where it is another"},
    {"ema", 0, OPT_REAL, 0, 0.99999, "0", NULL, "X", "decay of averaged weights, which ship then; 0 = the last ones do"},
    {"beta1", 0, OPT_REAL, 0, 0.9999, "0.5", NULL, "X", "Adam's first decay"},
    {"beta2", 0, OPT_REAL, 0, 0.9999, "0.9", NULL, "X", "Adam's second decay"},
    {"batch", 0, OPT_INT, 2, 1024, "64", NULL, "N", "phrases an update"},
    {"micro", 0, OPT_INT, 1, 1024, "8", NULL, "N", "phrases the critic sees at a time"},
    {"critic-steps", 0, OPT_INT, 1, 1000, "5", NULL, "N", "updates of the critic for those of the generator"},
    {"generator-steps", 0, OPT_INT, 1, 1000, "1", NULL, "N", "updates of the generator in each step"},
    {"warm-updates", 0, OPT_INT, 1, 1000, "50", NULL, "N", "updates of the critic while it is warmed"},
    {"warm-steps", 0, OPT_INT, 0, 1e9, "0", NULL, "N", "steps at the start that warm it"},
    {"warm-every", 0, OPT_INT, 0, 1e9, "0", NULL, "N", "warm it again in every so many steps; 0 = never"},
    {"schedule", 0, OPT_ENUM, 0, 0, "linear", "constant|linear|cosine", "KIND",
     "how the learning rate falls"},
    {"decay-from", 0, OPT_INT, 0, 1e9, "45000", NULL, "STEP", "the learning rate falls from here"},
    {"decay-to", 0, OPT_INT, 1, 1e9, "50000", NULL, "STEP", "and is zero here; both in steps"},
    {"genre", 0, OPT_TEXT, 0, 0, NULL, NULL, "NAME", "train on one genre"},
    {"keys", 0, OPT_ENUM, 0, 0, "any", "any|home", "WHICH", "home: all music is moved to C major or A minor, and back when it plays"},
    {"seed", 0, OPT_INT, 0, 2147483647, "1", NULL, "N", "first weights and order of the data"},
};

/* These travel in the weight file, as "option.NAME". */
static const char *const shaping[] = {"bars",      "steps",     "octaves", "low",     "width",
                                      "condition", "generator", "refiner", "neurons", "slope",
                                      "sampling",  "spread",    "cut",     "keys"};

enum err musegan_config_from(const struct opts *o, struct musegan_config *out)
{
    static const char *const neurons[] = {"none", "deterministic", "stochastic"};
    int64_t steps, octaves;
    enum role role;
    TRY(parse_int(opts_text(o, "steps"), 16, 96, &steps));
    TRY(parse_int(opts_text(o, "octaves"), 3, 7, &octaves));
    *out = (struct musegan_config){
        .bars = (int)opts_int(o, "bars"),
        .steps = (int)steps,
        .octaves = (int)octaves,
        .low = (int)opts_int(o, "low"),
        .width = opts_real(o, "width"),
        .condition = role_parse(opts_text(o, "condition"), &role) ? (int)role : -1,
        .generator = musegan_generator_find(opts_text(o, "generator")),
        .critic = musegan_critic_find(opts_text(o, "critic")),
        .refiner = !strcmp(opts_text(o, "refiner"), "on"),
        .slope = opts_real(o, "slope"),
        .home = !strcmp(opts_text(o, "keys"), "home"),
        .threshold = !strcmp(opts_text(o, "sampling"), "threshold"),
        .spread = opts_real(o, "spread"),
        .cut = opts_real(o, "cut"),
    };
    for (int i = 0; i < (int)COUNT_OF(neurons); i++)
        if (!strcmp(opts_text(o, "neurons"), neurons[i]))
            out->neuron = i;
    if (out->low + musegan_pitches(out) > 128)
        return err_set(ERR_RANGE, "%d pitches from %d on do not fit into 0..127", musegan_pitches(out),
                       out->low);
    if (out->cut > 0 && out->cut < 0.5)
        return err_set(ERR_RANGE, "cut=%g leaves next to nothing of the latents; it is 0 or 0.5 to 10", out->cut);
    return musegan_generator_check(out);
}

void musegan_config_save(const struct opts *o, struct ckpt_writer *w)
{
    for (size_t i = 0; i < COUNT_OF(shaping); i++) {
        char key[64];
        (void)str_format(key, sizeof key, "option.%s", shaping[i]);
        ckpt_writer_meta(w, key, opts_text(o, shaping[i]));
    }
}

enum err musegan_config_load(const struct ckpt *weights, struct musegan_config *out)
{
    struct opts *o;
    TRY(ckpt_options(weights, musegan_options, N_MUSEGAN_OPTIONS, &o));
    enum err err = musegan_config_from(o, out);
    opts_free(o);
    return err;
}
