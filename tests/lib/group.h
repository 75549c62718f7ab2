/* group.h: what a group of tests has from its setup to its teardown: a device, and numbers of PyTorch's. */
#pragma once
#include <jansson.h>
#include "on.h"

extern struct device *device;
extern json_t *golden;

/* Setups: on_open with so many threads. */
int group_one_thread(void **state);
int group_two_threads(void **state);
/* The same with two, and tests/golden/NAME.json; not 0 where it cannot be read. */
int group_golden(const char *name);
int group_end(void **state); /* the teardown of all */
