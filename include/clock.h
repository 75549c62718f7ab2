/* clock.h: monotonic time. */
#pragma once
#include <stdint.h>
uint64_t clock_ns(void);                 /* CLOCK_MONOTONIC */
double clock_s(void);
void clock_sleep_until(uint64_t ns);     /* absolute, monotonic */
