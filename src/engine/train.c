/* train.c: the training loop; see train.h. One update at a time, then a look at the clock: what is due
 * (log line, held-out losses, checkpoint) is done between updates, so nothing here runs beside a plan. */
#include "train.h"
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ckpt.h"
#include "clock.h"
#include "file.h"
#include "log.h"
#include "mem.h"
#include "phrase.h"
#include "preset.h"
#include "str.h"
#include "train_view.h"

enum { MAX_LOSSES = VIEW_LOSSES, MAX_META = 16 };

struct run {
    const struct train_opts *o;
    struct device *device;
    struct dataset *data;
    struct model *model;
    FILE *log, *figures;               /* log.tsv; figures.tsv of what it plays */
    char *checkpoint, *shipped, *last;
    char *samples, *playing;           /* folder of samples; weights that are asked for them */
    struct train_view view;
    int n_losses;
    long step, first_step;             /* updates done; those of earlier runs */
    double before, start, saved;       /* seconds used by earlier runs; clock at the start, at the last save */
    double best;                       /* lowest held-out sum so far */
    double sum[MAX_LOSSES];            /* since the last log line */
    long n_sum;
    double held_out[MAX_LOSSES], mean[MAX_LOSSES];
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* The second Ctrl-C kills. */
static void catch_signals(bool on, struct sigaction old[2])
{
    static const int signals[2] = { SIGINT, SIGTERM };
    struct sigaction act = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    for (int i = 0; i < 2; i++)
        sigaction(signals[i], on ? &act : &old[i], on ? &old[i] : NULL);
}

static double seconds_used(const struct run *r)
{
    return r->before + clock_s() - r->start;
}

static double total_of(const double *losses, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += losses[i];
    return sum;
}

/* Share of the run that is done, by whichever limit is nearer. */
static double share_done(const struct run *r)
{
    double by_steps = r->o->steps > 0 ? (double)r->step / (double)r->o->steps : 0;
    double by_time = r->o->minutes > 0 ? seconds_used(r) / (60 * r->o->minutes) : 0;
    return by_steps > by_time ? by_steps : by_time;
}

/* With a time limit the number of updates is a guess that gets better: those done over the share of time. */
static void set_horizon(struct run *r)
{
    const struct train_opts *o = r->o;
    if (!o->kind->train_horizon)
        return;
    double share = share_done(r);
    long total = o->steps;
    if (o->minutes > 0)
        total = share > 1e-6 && r->step > 0 ? (long)((double)r->step / share) : 1000000000;
    o->kind->train_horizon(r->model, o->steps > 0 && o->steps < total ? o->steps : total);
}

static enum err log_row(struct run *r, const char *split, const double *losses)
{
    fprintf(r->log, "%ld\t%.1f\t%s", r->step, seconds_used(r), split);
    for (int i = 0; i < r->n_losses; i++)
        fprintf(r->log, "\t%.5f", losses[i]);
    fprintf(r->log, "\t%.5f\n", total_of(losses, r->n_losses));
    return fflush(r->log) == 0 ? ERR_OK : err_set(ERR_IO, "the training log in %s cannot be written", r->o->out);
}

static void show_losses(struct run *r, const double *losses, bool held_out)
{
    struct str s;
    str_init(&s);
    double used = clock_s() - r->start, share = share_done(r);
    long samples = r->o->kind->train_samples ? r->o->kind->train_samples(r->model) : r->step - r->first_step;
    str_addf(&s, "%ssteps %ld", held_out ? "held-out: " : "", r->step);
    for (int i = 0; i < r->n_losses && held_out; i++)
        str_addf(&s, "  %s %.3f", r->o->kind->loss_names[i], losses[i]);
    str_addf(&s, "  sum %.3f", total_of(losses, r->n_losses));
    if (held_out) {
        train_view_held_out(&r->view, str_c(&s));
    } else {
        str_addf(&s, "  %.0f samples/s", (double)samples / (used + 1e-9));
        if (share > 0 && share < 1)
            str_addf(&s, "  %.0f min left", seconds_used(r) * (1 - share) / share / 60);
        train_view_losses(&r->view, str_c(&s), losses);
    }
    str_fini(&s);
}

enum what { CHECKPOINT, BEST, LAST, PLAYING };

/* A checkpoint remembers the best held-out loss; weights to ship say their own. */
static enum err save(struct run *r, enum what what)
{
    const struct train_opts *o = r->o;
    const char *const path[] = { r->checkpoint, r->shipped, r->last, r->playing };
    char step[32], seconds[32], loss[32];
    str_format(step, sizeof step, "%ld", r->step);
    str_format(seconds, sizeof seconds, "%.3f", seconds_used(r));
    double held_out = what == LAST || what == PLAYING ? total_of(r->held_out, r->n_losses) : r->best;
    str_format(loss, sizeof loss, "%.9g", held_out);
    const char *const all[][2] = {
        { "name", o->name ? o->name : o->kind->name }, { "train.steps", step }, { "train.seconds", seconds },
        { "train.held_out", isfinite(held_out) ? loss : NULL }, { "licence", o->licence }, { "data", o->source },
    };
    const char *meta[2 * MAX_META];
    size_t n = 0;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (!all[i][1])
            continue;
        meta[2 * n] = all[i][0];
        meta[2 * n++ + 1] = all[i][1];
    }
    return o->kind->train_save(r->model, path[what], what != CHECKPOINT, meta, n);
}

static enum err evaluate(struct run *r)
{
    const struct train_opts *o = r->o;
    if (!o->kind->train_eval)
        return ERR_OK;
    enum err err = o->kind->train_eval(r->model, r->held_out);
    if (err == ERR_EMPTY) {
        r->held_out[0] = NAN;
        return ERR_OK;
    }
    TRY(err);
    TRY(log_row(r, "held-out", r->held_out));
    show_losses(r, r->held_out, true);
    double sum = total_of(r->held_out, r->n_losses);
    if (sum >= r->best || o->kind->adversarial)
        return ERR_OK;
    r->best = sum;
    return save(r, BEST);
}

/* What the network plays by now, into the folder of samples. */
static enum err sample(struct run *r)
{
    struct figures f;
    char stem[32];
    bool made;
    if (!r->o->samples)
        return ERR_OK;
    str_format(stem, sizeof stem, "%08ld", r->step);
    TRY(save(r, PLAYING));
    enum err err = train_sample(r->o->kind, r->device, r->playing, r->data, r->samples, stem, &f, &made);
    unlink(r->playing);
    if (err != ERR_OK || !made)
        return err;
    fprintf(r->figures, "%ld", r->step);
    for (int i = 0; i < N_FIGURES; i++)
        fprintf(r->figures, "\t%.3f", f.at[i]);
    fputc('\n', r->figures);
    train_view_figures(&r->view, r->step, &f);
    return fflush(r->figures) == 0 ? ERR_OK : err_set(ERR_IO, "figures.tsv in %s cannot be written", r->o->out);
}

static enum err checkpoint(struct run *r)
{
    r->saved = clock_s();
    TRY(save(r, CHECKPOINT));
    bool judged = r->best < HUGE_VAL && !r->o->kind->adversarial; /* else there is no best one: the last ships */
    return judged ? save(r, LAST) : save(r, BEST);
}

static enum err report(struct run *r)
{
    for (int i = 0; i < r->n_losses; i++) {
        r->mean[i] = r->sum[i] / (double)r->n_sum;
        r->sum[i] = 0;
    }
    r->n_sum = 0;
    show_losses(r, r->mean, false);
    return log_row(r, "train", r->mean);
}

/* One step. On a GPU losses are known some steps late; what has gone astray by then is in no checkpoint (ckpt.h). */
static enum err step(struct run *r)
{
    double losses[MAX_LOSSES] = { 0 };
    TRY(r->o->kind->train_step(r->model, r->step, losses));
    if (!isfinite(total_of(losses, r->n_losses)))
        return err_set(ERR_RANGE, "training has gone astray: the losses are no longer numbers after %ld steps", r->step + 1);
    r->step++;
    for (int i = 0; i < r->n_losses; i++)
        r->sum[i] += losses[i];
    r->n_sum++;
    return ERR_OK;
}

static bool is_over(const struct run *r)
{
    bool stopped = r->o->stop && atomic_load_explicit(r->o->stop, memory_order_relaxed);
    return interrupted || stopped || share_done(r) >= 1;
}

static enum err loop(struct run *r)
{
    const struct train_opts *o = r->o;
    long log_every = o->log_every > 0 ? o->log_every : 50, eval_every = o->eval_every > 0 ? o->eval_every : 500;
    long sample_every = o->sample_every > 0 ? o->sample_every : eval_every;
    double save_seconds = 60 * (o->save_minutes > 0 ? o->save_minutes : 5);
    while (!is_over(r)) {
        set_horizon(r);
        TRY(step(r));
        if (r->step % log_every == 0)
            TRY(report(r));
        if (r->step % eval_every == 0)
            TRY(evaluate(r));
        if (r->step % sample_every == 0)
            TRY(sample(r));
        if (clock_s() - r->saved > save_seconds)
            TRY(checkpoint(r));
    }
    if (r->n_sum > 0)
        TRY(report(r));
    TRY(evaluate(r));
    if (r->step % sample_every != 0)
        TRY(sample(r));
    return checkpoint(r);
}

static double meta_real(const struct ckpt *c, const char *key, double otherwise)
{
    const char *text = ckpt_meta(c, key);
    double value;
    return text && parse_double(text, -1e300, 1e300, &value) == ERR_OK ? value : otherwise;
}

/* The state of the run so far, or NULL when it starts anew. */
static enum err read_checkpoint(struct run *r, struct ckpt **out)
{
    *out = NULL;
    r->best = HUGE_VAL;
    if (!r->o->resume || !file_exists(r->checkpoint))
        return ERR_OK;
    TRY(ckpt_open(r->checkpoint, out));
    r->step = r->first_step = (long)meta_real(*out, "train.steps", 0);
    r->before = meta_real(*out, "train.seconds", 0);
    r->best = meta_real(*out, "train.held_out", HUGE_VAL);
    return ERR_OK;
}

static enum err open_table(const struct run *r, const char *name, bool append, FILE **out)
{
    char *path = path_join(r->o->out, name);
    *out = fopen(path, append ? "a" : "w");
    enum err err = *out ? ERR_OK : err_set(ERR_IO, "%s cannot be opened for writing", path);
    free(path);
    return err;
}

static enum err open_log(struct run *r, bool append)
{
    TRY(open_table(r, "log.tsv", append, &r->log));
    if (append)
        return ERR_OK;
    fprintf(r->log, "step\tseconds\tsplit");
    for (int i = 0; i < r->n_losses; i++)
        fprintf(r->log, "\t%s", r->o->kind->loss_names[i]);
    fprintf(r->log, "\tsum\n");
    return ERR_OK;
}

/* The first line of figures is the data's. */
static enum err open_samples(struct run *r, bool append)
{
    bool phrases = !dataset_works(r->data) && dataset_n(r->data) > 0;
    struct figures data = { { NAN, NAN, NAN } };
    if (r->o->samples && phrases)
        figures_of_data(r->data, &data);
    train_view_open(&r->view, r->o->kind->loss_names, r->n_losses, r->o->samples && phrases ? &data : NULL, r->o->quiet);
    if (append) {
        char *log = path_join(r->o->out, "log.tsv");
        train_view_recall(&r->view, log);
        free(log);
    }
    if (!r->o->samples)
        return ERR_OK;
    TRY(file_mkdirs(r->samples));
    TRY(open_table(r, "figures.tsv", append, &r->figures));
    if (append)
        return ERR_OK;
    fprintf(r->figures, "step");
    for (int i = 0; i < N_FIGURES; i++)
        fprintf(r->figures, "\t%s", figure_names[i]);
    fprintf(r->figures, "\ndata");
    for (int i = 0; i < N_FIGURES; i++)
        fprintf(r->figures, "\t%.3f", data.at[i]);
    fputc('\n', r->figures);
    return ERR_OK;
}

/* "# data 0123456789abcdef PATH": the line of run.conf that a resumed run has to agree with. */
static enum err check_data(const char *path, const char *line)
{
    uint8_t *bytes = NULL;
    size_t len;
    if (!file_exists(path))
        return ERR_OK;
    TRY(file_read(path, 1 << 20, &bytes, &len));
    char *text = xstrndup((const char *)bytes, len), *said = strstr(text, "# data ");
    enum err err = ERR_OK;
    if (said && strncmp(said, line, strlen("# data ") + 16) != 0)
        err = err_set(ERR_FORMAT, "this run began on another data set (%s): resuming goes on with the same", path);
    free(text);
    free(bytes);
    return err;
}

/* run.conf: with it and the data the run can be repeated. */
static enum err describe(const struct run *r, bool resumed)
{
    const struct train_opts *o = r->o;
    const uint8_t *bytes = NULL;
    size_t len;
    struct str text;
    char *path = path_join(o->out, "run.conf");
    enum err err = file_map(o->data, &bytes, &len);
    str_init(&text);
    if (err == ERR_OK) {
        str_addf(&text, "# data %016llx %s\n", (unsigned long long)file_hash(bytes, len), o->data);
        file_unmap(bytes, len);
        if (resumed)
            err = check_data(path, str_c(&text));
        preset_write(o->kind->name, o->kind->options, o->kind->n_options, o->opts, &text);
    }
    if (err == ERR_OK)
        err = file_write(path, str_c(&text), text.len);
    str_fini(&text);
    free(path);
    return err;
}

static enum err open_model(struct run *r, const char *device, const struct ckpt *resume)
{
    const struct train_opts *o = r->o;
    TRY(device_open(device, o->threads, &r->device));
    device_set_precision(r->device, o->precision);
    return o->kind->train_open(r->device, o->opts, r->data, resume, &r->model);
}

static bool is_full(const struct run *r, enum err err)
{
    return err == ERR_NOMEM && r->device && !device_is_host(r->device);
}

/* On the CPU where a GPU's memory does not hold it. */
static enum err open_somewhere(struct run *r, const struct ckpt *resume)
{
    enum err err = open_model(r, r->o->device ? r->o->device : "auto", resume);
    if (!is_full(r, err))
        return err;
    log_warn("%s; training goes to the CPU", err_text());
    device_close(r->device);
    r->device = NULL;
    return open_model(r, "cpu", resume);
}

static enum err open_run(struct run *r)
{
    const struct train_opts *o = r->o;
    struct ckpt *resume = NULL;
    char file[128];
    enum err err = ERR_OK;
    str_format(file, sizeof file, "%s.safetensors", o->name ? o->name : o->kind->name);
    r->checkpoint = path_join(o->out, "checkpoint.safetensors");
    r->shipped = path_join(o->out, file);
    str_format(file, sizeof file, "%s-last.safetensors", o->name ? o->name : o->kind->name);
    r->last = path_join(o->out, file);
    r->samples = path_join(o->out, "samples");
    r->playing = path_join(o->out, "playing.safetensors");
    while (r->n_losses < MAX_LOSSES && o->kind->loss_names[r->n_losses])
        r->n_losses++;
    TRY_OUT(file_mkdirs(o->out));
    TRY_OUT(dataset_open(o->data, &r->data));
    TRY_OUT(read_checkpoint(r, &resume));
    TRY_OUT(open_somewhere(r, resume));
    TRY_OUT(describe(r, resume != NULL));
    TRY_OUT(open_samples(r, resume != NULL));
    TRY_OUT(open_log(r, resume != NULL));
    r->start = r->saved = clock_s();
out:
    ckpt_close(resume);
    return err;
}

/* Plans are made when they are first needed, so a GPU may turn out too small in the middle. */
static enum err go_on_on_cpu(struct run *r)
{
    struct ckpt *c = NULL;
    log_warn("%s; training goes to the CPU", err_text());
    TRY(save(r, CHECKPOINT));
    r->o->kind->close(r->model);
    r->model = NULL;
    device_close(r->device);
    r->device = NULL;
    TRY(ckpt_open(r->checkpoint, &c));
    enum err err = open_model(r, "cpu", c);
    ckpt_close(c);
    return err == ERR_OK ? loop(r) : err;
}

static void close_run(struct run *r)
{
    if (r->log)
        fclose(r->log);
    if (r->figures)
        fclose(r->figures);
    free(r->samples);
    free(r->playing);
    if (r->model)
        r->o->kind->close(r->model);
    device_close(r->device);
    dataset_close(r->data);
    free(r->checkpoint);
    free(r->shipped);
    free(r->last);
}

enum err train_run(const struct train_opts *o, struct train_result *result)
{
    if (!o->kind->train_open)
        return err_set(ERR_UNSUPPORTED, "models of the family %s are not trained here", o->kind->name);
    if (o->steps <= 0 && o->minutes <= 0)
        return err_set(ERR_RANGE, "training needs a number of steps or a time limit");
    struct run r = { .o = o, .held_out = { NAN, NAN, NAN, NAN } };
    struct sigaction old[2];
    interrupted = 0;
    catch_signals(true, old);
    enum err err = open_run(&r);
    if (err == ERR_OK)
        err = loop(&r);
    if (r.model && is_full(&r, err))
        err = go_on_on_cpu(&r);
    catch_signals(false, old);
    if (err == ERR_OK && result) {
        *result = (struct train_result){ .steps = r.step, .seconds = seconds_used(&r), .interrupted = interrupted };
        memcpy(result->losses, r.mean, sizeof r.mean);
        memcpy(result->held_out, r.held_out, sizeof r.held_out);
    }
    close_run(&r);
    return err;
}
