/* rows.h: the functions of the kernel table that read a step and call a launcher (rows.c, rows_move.c). */
#pragma once
#include "../step.h"

void k_elem(const struct step *s, struct pool *pool);
void k_fill(const struct step *s, struct pool *pool);
void k_expand(const struct step *s, struct pool *pool);
void k_permute(const struct step *s, struct pool *pool);
void k_slice(const struct step *s, struct pool *pool);
void k_pad(const struct step *s, struct pool *pool);
void k_reflect(const struct step *s, struct pool *pool);
void k_unreflect(const struct step *s, struct pool *pool);
void k_concat(const struct step *s, struct pool *pool);
void k_gather(const struct step *s, struct pool *pool);
void k_scatter(const struct step *s, struct pool *pool);
void k_random(const struct step *s, struct pool *pool);
