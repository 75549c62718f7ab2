/* kinds.h: every model family's row, one per family's file; registry.c makes the table. */
#pragma once
#include "model.h"

extern const struct model_kind musegan_kind, band_kind, cyclegan_kind, judge_kind, vqvae_kind, pianist_kind, codes_kind,
    frames_kind;
