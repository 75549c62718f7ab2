/* on.h: the device that tests run on, named by JAMROLL_TEST_DEVICE (cpu where it is not set), and values on it.
 * All stop the test that cannot have what it asks for. */
#pragma once
#include "plan.h"

const char *on_kind(void);
bool on_cpu(void);
void on_open(int threads, struct device **out);
void on_close(struct device *d); /* and all that on_put and on_view gave */
void *on_copy(struct device *d, const void *host, size_t bytes);         /* a new block that holds the same */
void on_write(struct device *d, void *at, const void *host, size_t bytes);
void on_read(struct device *d, void *host, const void *at, size_t bytes);
float *on_floats(struct device *d, const void *at, size_t n);            /* ordinary memory; free it */
float on_float(struct device *d, const void *at);                        /* the first of them */
/* The same, but kept until on_close. */
void *on_put(struct device *d, const void *host, size_t bytes);
float *on_view(struct device *d, const void *at, size_t n);
