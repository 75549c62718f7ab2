/* pool.c: fork-join over numbered chunks.
 *
 * `left` counts the chunks not yet taken. A thread takes one by compare-and-swap of left to left - 1,
 * and reads the fields of the job only after that: a job cannot end, so its fields cannot change,
 * while a taken chunk of it is not done. A worker that wakes up late finds nothing left, or takes
 * part in the next job; both are right.
 *
 * Waiting: spin for at most 20 us, then sleep on a futex. Spinning longer would hold a core that the
 * screen or the audio thread needs, and stall the next barrier for a whole scheduler quantum. */
#include "pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "mem.h"

enum { SPIN_NS = 20000, SPINS_PER_LOOK = 64, MAX_THREADS = 256 };

struct pool {
    int n_threads;
    pthread_t *threads;  /* n_threads - 1 of them */
    pool_fn fn;
    void *ctx;
    int n_chunks;
    atomic_bool running; /* a pool_run is on the way: a nested one runs serially */
    _Alignas(64) _Atomic uint32_t left;
    _Alignas(64) _Atomic uint32_t generation; /* futex of sleeping workers */
    _Atomic uint32_t sleepers;
    atomic_bool quit;
    _Alignas(64) _Atomic uint32_t busy;       /* chunks not done, futex of a sleeping caller */
    atomic_bool caller_sleeps;
};

static _Thread_local int this_worker; /* so that a nested run keeps its worker's number */

struct worker { struct pool *pool; int index; };

static void futex_wait(_Atomic uint32_t *word, uint32_t seen)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int n)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, n, NULL, NULL, 0);
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Spin until *word differs from `seen`; false when the time for spinning is over. */
static bool spin_while(_Atomic uint32_t *word, uint32_t seen)
{
    uint64_t end = clock_ns() + SPIN_NS;
    do {
        for (int i = 0; i < SPINS_PER_LOOK; i++) {
            if (atomic_load_explicit(word, memory_order_acquire) != seen)
                return true;
            relax();
        }
    } while (clock_ns() < end);
    return false;
}

static void take_chunks(struct pool *p, int worker)
{
    uint32_t left = atomic_load(&p->left);
    while (left != 0) {
        if (!atomic_compare_exchange_weak(&p->left, &left, left - 1))
            continue;
        p->fn(p->ctx, p->n_chunks - (int)left, worker);
        if (atomic_fetch_sub(&p->busy, 1) == 1 && atomic_load(&p->caller_sleeps))
            futex_wake(&p->busy, 1);
        left = atomic_load(&p->left);
    }
}

static void *worker_main(void *arg)
{
    struct worker *me = arg;
    struct pool *p = me->pool;
    this_worker = me->index;
    free(me);
    uint32_t seen = 0;
    for (;;) {
        if (!spin_while(&p->generation, seen)) {
            atomic_fetch_add(&p->sleepers, 1);
            while (atomic_load(&p->generation) == seen)
                futex_wait(&p->generation, seen);
            atomic_fetch_sub(&p->sleepers, 1);
        }
        if (atomic_load(&p->quit))
            return NULL;
        seen = atomic_load(&p->generation);
        take_chunks(p, this_worker);
    }
}

int pool_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

struct pool *pool_new(int n_threads)
{
    if (n_threads <= 0)
        n_threads = pool_cores();
    if (n_threads > MAX_THREADS)
        n_threads = MAX_THREADS;
    struct pool *p = aligned_alloc(64, sizeof *p);
    BUG_ON(!p);
    *p = (struct pool){.n_threads = 1};
    p->threads = xcalloc((size_t)n_threads, sizeof *p->threads);
    for (int i = 1; i < n_threads; i++) {
        struct worker *w = xmalloc(sizeof *w);
        *w = (struct worker){p, i};
        if (pthread_create(&p->threads[i - 1], NULL, worker_main, w) != 0) {
            free(w); /* the system has no more threads: work with those there are */
            break;
        }
        p->n_threads++;
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    atomic_store(&p->quit, true);
    atomic_fetch_add(&p->generation, 1);
    futex_wake(&p->generation, p->n_threads);
    for (int i = 1; i < p->n_threads; i++)
        pthread_join(p->threads[i - 1], NULL);
    free(p->threads);
    free(p);
}

int pool_size(const struct pool *p)
{
    return p ? p->n_threads : 1;
}

static void wait_done(struct pool *p)
{
    uint32_t left;
    while ((left = atomic_load(&p->busy)) != 0) {
        if (spin_while(&p->busy, left))
            continue;
        atomic_store(&p->caller_sleeps, true);
        if ((left = atomic_load(&p->busy)) != 0)
            futex_wait(&p->busy, left);
        atomic_store(&p->caller_sleeps, false);
    }
}

void pool_run(struct pool *p, int n_chunks, pool_fn fn, void *ctx)
{
    if (n_chunks <= 0)
        return;
    if (!p || p->n_threads == 1 || n_chunks == 1 || atomic_exchange(&p->running, true)) {
        for (int i = 0; i < n_chunks; i++)
            fn(ctx, i, this_worker);
        return;
    }
    p->fn = fn;
    p->ctx = ctx;
    p->n_chunks = n_chunks;
    atomic_store(&p->busy, (uint32_t)n_chunks);
    atomic_store(&p->left, (uint32_t)n_chunks);
    atomic_fetch_add(&p->generation, 1);
    if (atomic_load(&p->sleepers))
        futex_wake(&p->generation, p->n_threads - 1);
    take_chunks(p, this_worker);
    wait_done(p);
    atomic_store(&p->running, false);
}
