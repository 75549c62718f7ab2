/* outlet.h: an open audio driver of FluidSynth that can be given up at any time. Sound servers hang; whoever
 * plays must not. Private to src/audio. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct outlet;
/* Called on the driver's thread, again and again, to fill n frames. */
typedef void (*outlet_fn)(void *ctx, float *left, float *right, size_t n);

/* NULL when there is no such driver, it does not open, it takes longer than a few seconds, or *cancel is set. */
struct outlet *outlet_open(const char *driver, int rate, outlet_fn fn, void *ctx, const atomic_bool *cancel);
/* fn is not running and never called again when this returns, which is within about a second. */
void outlet_close(struct outlet *o);
int outlet_delay_ms(int rate);      /* about how long what is rendered waits in the driver */
