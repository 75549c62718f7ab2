/* piano_work.h: works (works.h) as the piano families read them. */
#pragma once
#include "piano_code.h"
#include "works.h"

struct key key_of_work(const struct work *k);
/* A work as steps are made of it, its frames included. */
void piano_piece_of_work(const struct work *k, struct piano_piece *out);
