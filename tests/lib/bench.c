/* bench.c: see bench.h. */
#include "bench.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include "clock.h"
#include "str.h"

void bench_must(enum err err)
{
    if (err != ERR_OK) {
        fprintf(stderr, "bench: %s\n", err_text());
        exit(1);
    }
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
    for (int i = 0; i < repeats; i++) {
        double start = clock_s();
        run(ctx);
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
                     "OPENBLAS_CORETYPE=SkylakeX ATEN_CPU_CAPABILITY=avx512 OMP_PROC_BIND=close OMP_PLACES=cores "
                     "${PYTHON:-/usr/bin/python3} tests/bench/%s %d \"%s\" 2>/dev/null", script, threads, task);
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
