/* bench.c: see bench.h. */
#include "bench.h"
#include "compute/cpu/cpuid.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "clock.h"
#include "mem.h"
#include "plan.h"
#include "str.h"

void bench_must(enum err err)
{
    if (err != ERR_OK) {
        fprintf(stderr, "bench: %s\n", err_text());
        exit(1);
    }
}

static struct device *device;

struct device *bench_device(int threads)
{
    const char *kind = getenv("JAMROLL_BENCH_DEVICE"), *precision = getenv("JAMROLL_BENCH_PRECISION");
    enum precision p = PRECISION_FP32;
    bench_must(device_open(kind && *kind ? kind : "cpu", threads, &device));
    if (precision && *precision)
        bench_must(precision_parse(precision, &p));
    device_set_precision(device, p);
    return device;
}

float *bench_cells(size_t n, size_t first)
{
    float *host = xcalloc(n + 1, sizeof *host);
    void *cells = NULL;
    for (size_t i = first; i < n; i += 37)
        host[i] = 1;
    bench_must(device_alloc(device, n * sizeof *host, &cells));
    bench_must(device_upload(device, cells, host, n * sizeof *host));
    free(host);
    return cells;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct timing bench_timed(void (*run)(void *ctx), void *ctx, int warm, int repeats)
{
    double t[BENCH_MAX_REPEATS];
    for (int i = 0; i < warm; i++)
        run(ctx);
    bench_must(device_wait(device));
    for (int i = 0; i < repeats; i++) {
        double start = clock_s();
        run(ctx);
        bench_must(device_wait(device));
        t[i] = 1e3 * (clock_s() - start);
    }
    qsort(t, (size_t)repeats, sizeof *t, by_value);
    return (struct timing){ t[repeats / 2], t[0] };
}

bool bench_torch(const char *script, int threads, const char *task, struct timing *out)
{
    char command[512], line[512];
    bool found = false;
    (void)str_format(command, sizeof command,
                     "%s OMP_PROC_BIND=close OMP_PLACES=cores ${PYTHON:-/usr/bin/python3} tests/bench/%s %d \"%s\" 2>/dev/null",
                     cpu_isa_supported() == ISA_AVX512 ? "OPENBLAS_CORETYPE=SkylakeX ATEN_CPU_CAPABILITY=avx512"
                                             : "OPENBLAS_CORETYPE=Haswell ATEN_CPU_CAPABILITY=avx2",
                     script, threads, task);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) {
        json_t *row = json_loads(line, 0, NULL);
        if (row) {
            *out = (struct timing){ json_number_value(json_object_get(row, "ms")),
                                    json_number_value(json_object_get(row, "best")) };
            found = true;
        }
        json_decref(row);
    }
    return f && pclose(f) == 0 && found;
}

void bench_line(const char *task, struct timing ours, bool torch, struct timing theirs)
{
    printf("%-15s %12.2f %12.2f", task, ours.median, ours.best);
    if (torch)
        printf(" %12.2f %6.1fx\n", theirs.median, theirs.median / ours.median);
    else
        printf(" %12s\n", "-");
    fflush(stdout);
}

static bool asked_for(int argc, char **argv, const char *name)
{
    for (int i = optind; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return optind >= argc;
}

int bench_main(int argc, char **argv, const char *title, const char *script, const struct bench_task *tasks, size_t n)
{
    struct device *d;
    int threads = 2, option;
    bool torch = true;
    while ((option = getopt(argc, argv, "t:o")) != -1) {
        int64_t given = threads;
        if (option == 't')
            bench_must(parse_int(optarg, 1, 64, &given));
        threads = (int)given;
        torch &= option != 'o';
    }
    d = bench_device(threads);
    printf("%s, %s\n%-14s %12s %12s %12s %7s\n", title, device_name(d), "task", "ours ms", "best", "PyTorch ms", "ratio");
    for (size_t i = 0; i < n; i++) {
        if (!asked_for(argc, argv, tasks[i].name))
            continue;
        struct timing ours = tasks[i].run(d, tasks[i].n), theirs = { 0, 0 };
        bool found = torch && bench_torch(script, threads, tasks[i].name, &theirs);
        bench_line(tasks[i].name, ours, found, theirs);
    }
    device_close(d);
    return 0;
}
