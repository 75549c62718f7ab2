/* Speed of the full-size MuseGAN, beside PyTorch where python3-torch is installed:
 *
 *     forward 1      the default generator, one phrase
 *     forward 64     64 phrases
 *     iteration 64   a WGAN-GP iteration: 5 updates of the critic, 1 of the generator, batch 64
 *     NAME 1         another generator, one phrase
 *     NAME step 8    one update of its critic, one of it, batch 8
 *
 *     bench_musegan [-t THREADS] [-n REPEATS] [-v] [-o] [TASK]
 *
 * -v: time of every node of the plans; -o: ours only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bench.h"
#include "file.h"
#include "mem.h"
#include "midi.h"
#include "model/kinds.h"
#include "model/musegan.h"
#include "opt.h"
#include "song.h"

/* Options of the family beside the defaults. */
struct task {
    const char *name, *set;
    bool trains;
    int n;
};
#define VARIANT(name, set) \
    {name " 1", set, false, 1}, \
    { \
        name " step 8", set ",batch=8,critic-steps=1", true, 8 \
    }
static const struct task tasks[] = {
    {"forward 1", "", false, 1},
    {"forward 64", "", false, 64},
    {"iteration 64", "", true, 64},
    VARIANT("jamming", "steps=96,generator=jamming,critic=phrase-each"),
    VARIANT("composer", "steps=96,generator=composer,critic=phrase"),
    VARIANT("hybrid", "steps=96,generator=hybrid,critic=phrase"),
    VARIANT("binary", "steps=96,generator=binary,critic=binary"),
    VARIANT("binary-hybrid", "steps=96,generator=binary-hybrid,critic=binary"),
};

static struct opts *options_of(const struct task *t)
{
    struct opts *o = opts_new(musegan_kind.options, musegan_kind.n_options);
    char *copy = xstrdup(t->set), *rest = copy, *item;
    while (*copy && (item = str_split(&rest, ','))) {
        char *value = strchr(item, '=');
        *value = '\0';
        bench_must(opts_set(o, item, value + 1));
    }
    free(copy);
    return o;
}

struct work {
    struct musegan_sampler *sampler;
    struct model *trained;
    float *z, *out;
    int n;
    long step;
};
static bool verbose;
static int repeats_wanted; /* 0 = as many as the task deserves */

static struct timing timed(void (*run)(void *), struct work *w, int warm, int repeats)
{
    return bench_timed(run, w, repeats_wanted ? 0 : warm, repeats_wanted ? repeats_wanted : repeats);
}

static void run_forward(void *ctx)
{
    struct work *w = ctx;
    bench_must(musegan_sample(w->sampler, w->z, NULL, w->n, w->out, NULL));
}

static struct timing forward(struct device *d, const struct task *task)
{
    struct musegan_config c;
    struct opts *o = options_of(task);
    const int n = task->n;
    bench_must(musegan_config_from(o, &c));
    opts_free(o);
    struct params *live = params_new();
    struct net net = {.g = graph_new(), .p = live};
    struct musegan_builder b = {.net = &net, .c = &c, .norm = NORM_MOVING};
    struct work w = {.n = n,
                     .z = xcalloc((size_t)(n * musegan_latents(&c)), sizeof(float)),
                     .out = xcalloc((size_t)n * musegan_cells(&c) * N_ROLES, sizeof(float))};
    musegan_generator(&b, g_input(net.g, "z", F32, SHAPE(1, musegan_latents(&c))), NULL);
    graph_free(net.g);
    bench_must(params_alloc(live, d, false));
    params_init(live, 1);
    bench_must(musegan_sampler_new(d, &c, live, 1, &w.sampler));
    struct rng r;
    rng_init(&r, 1, 1);
    musegan_latent(&c, &r, w.z, n);
    struct timing t = timed(run_forward, &w, 3, n == 1 ? 31 : 7);
    struct str text = {0};
    if (verbose)
        musegan_sampler_print(w.sampler, &text);
    fputs(str_c(&text), stdout);
    str_fini(&text);
    musegan_sampler_free(w.sampler);
    params_free(live);
    free(w.z);
    free(w.out);
    return t;
}

/* A little data: chords, bass and drums in every key. */
static struct dataset *made_data(char *dir)
{
    char path[256];
    struct str report = {0};
    struct dataset *data;
    if (!mkdtemp(dir))
        bench_must(err_set(ERR_IO, "no temporary folder"));
    for (int k = 0; k < 12; k++) {
        struct song *s = song_new_band();
        for (int beat = 0; beat < 64; beat++) {
            int root = (k + beat / 4 * 5) % 12;
            track_add(song_track_of(s, ROLE_DRUMS),
                      (struct note){beat * 480, 120, (uint8_t)(beat % 2 ? 38 : 36), 100});
            track_add(song_track_of(s, ROLE_BASS), (struct note){beat * 480, 480, (uint8_t)(36 + root), 100});
            for (int v = 0; v < 3; v++)
                track_add(song_track_of(s, ROLE_PIANO),
                          (struct note){beat * 480, 400, (uint8_t)(60 + (root + 4 * v) % 12), 100});
        }
        (void)str_format(path, sizeof path, "%s/%d.mid", dir, k);
        bench_must(midi_save(s, &(struct midi_write_opts){.format = 1}, path));
        song_free(s);
    }
    (void)str_format(path, sizeof path, "%s/data", dir);
    bench_must(dataset_build((const char *const *)&dir, 1,
                             &(struct dataset_opts){.hop_bars = 1, .min_roles = 3, .held_out = 0.1}, path,
                             &report));
    str_fini(&report);
    bench_must(dataset_open(path, &data));
    return data;
}

static enum err remove_file(void *ctx, const char *path)
{
    (void)ctx;
    return unlink(path) ? ERR_IO : ERR_OK;
}

static void run_iteration(void *ctx)
{
    struct work *w = ctx;
    double losses[4];
    bench_must(musegan_kind.train_step(w->trained, w->step++, losses));
}

static struct timing iteration(struct device *d, const struct task *task)
{
    char dir[] = "/tmp/jamroll-bench-XXXXXX";
    struct dataset *data = made_data(dir);
    struct opts *o = options_of(task);
    struct work w = {0};
    bench_must(musegan_kind.train_open(d, o, data, NULL, &w.trained));
    struct timing t = timed(run_iteration, &w, 1, 3);
    struct str text = {0};
    if (verbose)
        musegan_trainer_print(w.trained, &text);
    fputs(str_c(&text), stdout);
    str_fini(&text);
    musegan_kind.close(w.trained);
    opts_free(o);
    dataset_close(data);
    bench_must(file_walk(dir, remove_file, NULL));
    rmdir(dir);
    return t;
}

int main(int argc, char **argv)
{
    struct device *d;
    int threads = 2, option;
    bool torch = true;
    while ((option = getopt(argc, argv, "t:n:vo")) != -1) {
        int64_t n = 2;
        if (option == 't')
            bench_must(parse_int(optarg, 1, 64, &n));
        if (option == 'n')
            bench_must(parse_int(optarg, 1, BENCH_MAX_REPEATS, &n));
        threads = option == 't' ? (int)n : threads;
        repeats_wanted = option == 'n' ? (int)n : repeats_wanted;
        verbose |= option == 'v';
        torch &= option != 'o';
    }
    d = bench_device(threads);
    printf("MuseGAN, full size, %s\n%-14s %12s %12s %12s %7s\n", device_name(d), "task", "ours ms", "best",
           "PyTorch ms", "ratio");
    for (size_t i = 0; i < COUNT_OF(tasks); i++) {
        struct timing theirs = {0}, ours;
        if (optind < argc && strcmp(argv[optind], tasks[i].name))
            continue;
        ours = tasks[i].trains ? iteration(d, &tasks[i]) : forward(d, &tasks[i]);
        bool found = torch && bench_torch("torch_musegan.py", threads, tasks[i].name, &theirs);
        bench_line(tasks[i].name, ours, found, theirs);
    }
    device_close(d);
    return 0;
}
