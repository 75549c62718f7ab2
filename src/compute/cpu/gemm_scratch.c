/* gemm_scratch.c: per-thread packing buffers. Thread-local, so no lock and no argument through every call; a
 * destructor gives them back when the thread ends. */
#include <pthread.h>
#include "gemm_core.h"
#include "mem.h"

struct buffer { float *p; size_t floats; };
static _Thread_local struct buffer buffers[N_SCRATCH];
static pthread_key_t key;

static void release(void *own)
{
    struct buffer *b = own;
    for (int i = 0; i < N_SCRATCH; i++) {
        mem_block_free(b[i].p);
        b[i] = (struct buffer){0};
    }
}

static void make_key(void)
{
    BUG_ON(pthread_key_create(&key, release) != 0);
}

static void grow(struct buffer *b, size_t floats)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    pthread_setspecific(key, buffers);
    mem_block_free(b->p);
    size_t size = 16384;
    while (size < floats)
        size *= 2;
    void *p = NULL;
    BUG_ON(mem_block_new(size * sizeof(float), &p) != ERR_OK);
    *b = (struct buffer){p, size};
}

float *scratch(enum scratch_slot slot, size_t floats)
{
    struct buffer *b = &buffers[slot];
    if (floats > b->floats)
        grow(b, floats);
    return b->p;
}
