/* pool.h: compute threads. Work is cut into numbered chunks taken from an atomic counter; the caller
 * takes part; waits spin briefly (<= 20 us) and then sleep on a futex, so that a third runnable thread
 * (screen, audio) does not stall a barrier for a scheduler quantum. Chunk numbering never depends on
 * the thread count, so results are repeatable. One pool_run at a time per pool (nested calls run
 * serially in the caller). */
#pragma once

struct pool;
typedef void (*pool_fn)(void *ctx, int chunk, int worker); /* worker in [0, pool_size) */

struct pool *pool_new(int n_threads); /* n_threads counts the caller; 0 = number of cores */
void pool_free(struct pool *p);
int pool_size(const struct pool *p);  /* NULL counts as 1 */
void pool_run(struct pool *p, int n_chunks, pool_fn fn, void *ctx);
int pool_cores(void);                 /* cores this process may run on */
