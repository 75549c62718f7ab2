/* work.h: one thing done aside, on a thread of its own, with a descriptor that becomes readable when it is
 * over. For what would stop the screen: loading a SoundFont, rendering a file. */
#pragma once
#include <stdatomic.h>
#include "err.h"

struct work {
    enum err (*run)(struct work *w, void *arg);   /* on the thread; may poll `cancel` and set `progress` */
    void *arg;
    int fd;                                       /* for poll; -1 when nothing was started */
    atomic_bool cancel;
    atomic_int progress;                          /* per mille */
    enum err err;                                 /* valid once joined */
    char text[256];                               /* of the failure */
    unsigned long thread;
};
NODISCARD enum err work_start(struct work *w, enum err (*run)(struct work *w, void *arg), void *arg);
bool work_busy(const struct work *w);
void work_join(struct work *w);                   /* waits; w is idle then */
