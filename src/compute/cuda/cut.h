/* cut.h: how [outer, mid, inner] is divided when mid is reduced: a block takes some columns of some outers, its
 * threads take turns along mid, and their results are joined in order; where mid is long and columns are few it
 * is cut into parts, whose results the caller joins. Sizes alone decide. */
#pragma once
#include "device.h"

/* A block is `outers` x `rows` x `width` threads. */
struct cut { unsigned width, tiles, rows, outers, parts, part; };

static inline cut cut_of(cu_span s, bool whole)
{
    enum { EACH = 4, DEEP = 16, ENOUGH = 1024 };
    cut c = {};
    c.width = s.inner <= BLOCK ? s.inner : BLOCK / 4;
    c.tiles = blocks_for(s.inner, c.width);
    c.rows = min((unsigned)BLOCK / c.width, blocks_for(s.mid, EACH));
    c.outers = min((unsigned)BLOCK / (c.rows * c.width), (unsigned)s.outer);
    unsigned blocks = blocks_for(s.outer, c.outers) * c.tiles;
    unsigned most_parts = blocks_for(s.mid, c.rows * DEEP);
    c.parts = whole ? 1 : min(most_parts, blocks_for(ENOUGH, blocks));
    c.part = blocks_for(s.mid, c.parts);
    c.parts = blocks_for(s.mid, c.part);
    return c;
}

static inline unsigned cut_blocks(cu_span s, cut c)
{
    return blocks_for(s.outer, c.outers) * c.tiles * c.parts;
}

static inline unsigned cut_threads(cut c)
{
    return blocks_for(c.width * c.rows * c.outers, WARP) * WARP;
}

/* A thread's column, and its first and last row along mid. */
struct seat { unsigned column, row, outer, part, first, end; bool taken; };

DEVICE seat seat_of(cu_span s, cut c)
{
    unsigned me = threadIdx.x, block = blockIdx.x;
    seat p;
    p.column = block % c.tiles * c.width + me % c.width;
    p.row = me / c.width % c.rows;
    p.part = block / c.tiles % c.parts;
    p.outer = block / c.tiles / c.parts * c.outers + me / c.width / c.rows;
    p.first = p.part * c.part;
    p.end = min(p.first + c.part, s.mid);
    p.taken = me < c.width * c.rows * c.outers && p.column < s.inner && p.outer < s.outer;
    return p;
}

/* The values of all rows of a column, joined; every thread of the column gets the result. scratch [BLOCK]. */
template <class Op> DEVICE float join_rows(float *scratch, float v, const seat &p, cut c)
{
    unsigned me = threadIdx.x;
    scratch[me] = v;
    __syncthreads();
    for (unsigned rows = c.rows; rows > 1; rows = (rows + 1) / 2) {
        unsigned half = (rows + 1) / 2;
        if (p.taken && p.row + half < rows)
            scratch[me] = Op::join(scratch[me], scratch[me + half * c.width]);
        __syncthreads();
    }
    v = p.taken ? scratch[me - p.row * c.width] : v;
    __syncthreads();
    return v;
}
