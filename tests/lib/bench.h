/* bench.h: what the benchmarks of networks share: times of repeats, and PyTorch's for the same task. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "err.h"

enum { BENCH_MAX_REPEATS = 32 };
struct timing { double median, best; }; /* milliseconds */

void bench_must(enum err err);          /* prints the text and exits */
/* By JAMROLL_BENCH_DEVICE (cpu) and JAMROLL_BENCH_PRECISION (fp32), which the PyTorch side heeds as well, and
 * JAMROLL_BENCH_TORCH (torch_beside.py). One at a time: its clock stops when the device is done. */
struct device;
struct device *bench_device(int threads);
float *bench_cells(size_t n, size_t first); /* a block there of zeros, and ones at first, first + 37, ... */
struct timing bench_timed(void (*run)(void *ctx), void *ctx, int warm, int repeats);
/* A row of a benchmark: what `run` is given beside the device is its own affair. */
struct bench_task { const char *name; struct timing (*run)(struct device *d, int n); int n; };
/* The main function of a benchmark: `bench_X [-t THREADS] [-o] [TASK...]`, -o without PyTorch; the header, then a line each. */
int bench_main(int argc, char **argv, const char *title, const char *script, const struct bench_task *tasks, size_t n);
/* The line that a script under tests/bench prints for a task; false when PyTorch is not there. $PYTHON names an
 * interpreter that has it, else Debian's is asked. */
bool bench_torch(const char *script, int threads, const char *task, struct timing *out);
void bench_line(const char *task, struct timing ours, bool torch, struct timing theirs);
