/* uniform.h: numbers in [-1,1) for the tests of kernels, each file's from a seed of its own; blocks of them. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "mem.h"

static uint32_t seed = 1;

static inline float uniform(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (float)(int32_t)seed * 0x1p-31f;
}

static inline float *block(size_t n)
{
    void *p;
    assert_int_equal(mem_block_new((n + 1) * sizeof(float), &p), ERR_OK);
    for (size_t i = 0; i < n; i++)
        ((float *)p)[i] = uniform();
    return p;
}
