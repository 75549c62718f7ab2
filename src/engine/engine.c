/* engine.c: models kept loaded, jobs run one after another, events for whoever polls.
 *
 * Two locks, never held together: `running` is held by the thread that uses the device and the models (the
 * worker, or a synchronous caller), `jobs` guards the list of jobs and is only ever held for a moment. Takes are
 * never dropped: when nobody reads events the worker waits. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "ckpt.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "pair.h"
#include "queue.h"
#include "song.h"
#include "str.h"
#include "verb.h"

enum { EVENTS = 1024, WORKER_NICE = 5, SCALE = 1000000 };

struct job {
    struct job *next;
    int id, n_takes;            /* takes that came */
    char *model;                /* NULL = best */
    struct request request;
    struct song *song[3];       /* the request's: song, from, to */
    atomic_bool cancel;
};

struct engine {
    struct device *device;
    struct device *left;        /* the one before it moved to the CPU, with what was loaded there */
    int threads;
    struct queue *events;
    pthread_mutex_t running;    /* device and cache */
    struct loaded *cache; size_t n_cache, cap_cache;

    pthread_mutex_t jobs;       /* all below but the atomics */
    pthread_cond_t work;
    struct job *first, *now;    /* waiting, in order; the one the worker is at */
    int last_id;
    bool started, quit;
    pthread_t worker;
    atomic_int n_jobs;          /* waiting and running */
    atomic_int done;            /* of the running job, in millionths */
    atomic_bool leaving;        /* set by engine_free: nobody reads events any more */
};

/* ---- models ---- */

/* With `running` held, after `err`. A GPU that is full is left: models that somebody holds stay there, and all that is
 * asked for from now on is loaded anew on the CPU. */
static bool move_to_cpu(struct engine *e, enum err err)
{
    struct device *cpu = NULL;
    if (err != ERR_NOMEM || device_is_host(e->device))
        return false;
    log_warn("%s; the work goes to the CPU", err_text());
    if (device_open("cpu", e->threads, &cpu) != ERR_OK)
        return false;
    for (size_t i = 0; i < e->n_cache; i++)
        e->cache[i].path[0] = '\0'; /* found no more */
    e->left = e->device;
    e->device = cpu;
    return true;
}

/* With `running` held. */
enum err engine_loaded(struct engine *e, const char *path, struct loaded **out)
{
    for (size_t i = 0; i < e->n_cache; i++)
        if (strcmp(e->cache[i].path, path) == 0) {
            *out = &e->cache[i];
            return ERR_OK;
        }
    struct ckpt *c = NULL;
    struct model *model = NULL;
    TRY(ckpt_open(path, &c));
    const char *family = ckpt_meta(c, "family");
    const struct model_kind *kind = family ? model_kind_find(family) : NULL;
    enum err err = kind ? kind->open(e->device, c, &model)
                        : err_set(ERR_UNSUPPORTED, "no family called '%.40s' is known", family ? family : "");
    ckpt_close(c);
    if (err) {
        err_prefix("%s", path);
        return err;
    }
    e->cache = xgrow(e->cache, e->n_cache, &e->cap_cache, sizeof *e->cache);
    *out = &e->cache[e->n_cache++];
    **out = (struct loaded){xstrdup(path), kind, model};
    return ERR_OK;
}

static enum err find_and_load(struct engine *e, const char *name, enum verb v, struct loaded **out)
{
    char *path = NULL;
    TRY(models_find(name, v, &path));
    enum err err = engine_loaded(e, path, out);
    free(path);
    TRY(err);
    if (v < N_VERBS && !((*out)->kind->verbs & 1u << v))
        return err_set(ERR_UNSUPPORTED, "%s: the family '%s' cannot %s", (*out)->path, (*out)->kind->name, verb_name(v));
    return ERR_OK;
}

enum err engine_load(struct engine *e, const char *model, enum verb v, const struct model_kind **kind,
                     struct model **out)
{
    struct loaded *l = NULL;
    pthread_mutex_lock(&e->running);
    enum err err = find_and_load(e, model, v, &l);
    if (move_to_cpu(e, err))
        err = find_and_load(e, model, v, &l);
    if (!err) {
        *kind = l->kind;
        *out = l->model;
    }
    pthread_mutex_unlock(&e->running);
    return err;
}

static enum err check_genre(const struct loaded *l, int genre)
{
    int n = l->kind->n_genres ? l->kind->n_genres(l->model) : 0;
    return genre >= -1 && genre < n ? ERR_OK : err_set(ERR_RANGE, "genre %d: this model has %d", genre, n);
}

/* With `running` held. */
static enum err run_here(struct engine *e, const char *model, const struct request *rq, const struct progress *p)
{
    static const struct progress silent;
    struct loaded *l = NULL;
    struct request named;
    char *path = NULL;
    enum err err = ERR_OK;
    if (rq->verb == VERB_TRANSFER && rq->genre_to[0]) { /* genres by name say which weights */
        named = *rq;
        err = pair_find(e, model, &named, &path);
        rq = &named;
        model = path;
    }
    if (!err)
        err = find_and_load(e, model, rq->verb, &l);
    if (!err)
        err = check_genre(l, rq->genre);
    if (!err)
        err = rq->verb == VERB_TRANSFER ? transferred_run(e, l, rq, p ? p : &silent)
                                        : l->kind->run(l->model, rq, p ? p : &silent);
    free(path);
    return err;
}

enum err engine_run(struct engine *e, const char *model, const struct request *rq, const struct progress *p)
{
    TRY(request_check(rq));
    pthread_mutex_lock(&e->running);
    enum err err = run_here(e, model, rq, p);
    if (move_to_cpu(e, err))
        err = run_here(e, model, rq, p);
    pthread_mutex_unlock(&e->running);
    return err;
}

enum err engine_pair(struct engine *e, const char *model, struct request *rq, char **path)
{
    pthread_mutex_lock(&e->running);
    enum err err = pair_find(e, model, rq, path);
    pthread_mutex_unlock(&e->running);
    return err;
}

/* ---- events ---- */

void event_fini(struct event *ev)
{
    if (ev->take) {
        take_fini(ev->take);
        free(ev->take);
    }
    free(ev->text);
    ev->take = NULL;
    ev->text = NULL;
}

static void emit(struct engine *e, struct event ev)
{
    while (!atomic_load(&e->leaving)) {
        if (queue_push(e->events, &ev))
            return;
        clock_sleep_until(clock_ns() + 5000000u);
    }
    event_fini(&ev);
}

int engine_fd(struct engine *e)
{
    return queue_fd(e->events);
}

bool engine_next(struct engine *e, struct event *out)
{
    return queue_pop(e->events, out, 0);
}

/* ---- jobs ---- */

struct running_job { struct engine *engine; struct job *job; };

static void on_take(void *ctx, int index, struct take *take)
{
    struct running_job *r = ctx;
    struct take *kept = xmalloc(sizeof *kept);
    *kept = *take; /* its contents are ours now, the struct was the family's */
    memset(take, 0, sizeof *take);
    r->job->n_takes++;
    emit(r->engine, (struct event){.kind = EVENT_TAKE, .job = r->job->id, .index = index, .take = kept});
}

/* Of the first take only: it is the one that is looked at while it grows. */
static void on_part(void *ctx, int index, const struct song *song, int n_bars)
{
    struct running_job *r = ctx;
    if (index != 0 || n_bars < 1)
        return;
    struct take *part = xcalloc(1, sizeof *part);
    *part = (struct take){.song = song_dup(song), .seed = r->job->request.seed, .growing = true};
    emit(r->engine, (struct event){.kind = EVENT_PART, .job = r->job->id, .take = part});
}

static void on_step(void *ctx, double fraction)
{
    struct running_job *r = ctx;
    double f = fraction > 0 ? fraction < 1 ? fraction : 1 : 0;
    atomic_store(&r->engine->done, (int)(f * SCALE));
}

static void job_free(struct job *j)
{
    for (size_t i = 0; i < COUNT_OF(j->song); i++)
        song_free(j->song[i]);
    free(j->model);
    free(j);
}

/* The last event of a job. */
static void conclude(struct engine *e, struct job *j, enum err err)
{
    struct event ev = {.kind = EVENT_DONE, .job = j->id, .index = j->n_takes};
    if (err == ERR_CANCELLED) {
        ev.kind = EVENT_CANCELLED;
    } else if (err) {
        ev.kind = EVENT_FAILED;
        ev.text = xstrdup(err_text());
    }
    atomic_fetch_sub(&e->n_jobs, 1);
    emit(e, ev);
    job_free(j);
}

static void run_job(struct engine *e, struct job *j)
{
    struct running_job ctx = {e, j};
    struct progress p = {.cancel = &j->cancel, .on_take = on_take, .on_step = on_step, .on_part = on_part,
                         .ctx = &ctx};
    atomic_store(&e->done, 0);
    enum err err = atomic_load(&j->cancel) ? ERR_CANCELLED : engine_run(e, j->model, &j->request, &p);
    pthread_mutex_lock(&e->jobs);
    e->now = NULL; /* nobody cancels it from here on */
    pthread_mutex_unlock(&e->jobs);
    conclude(e, j, err);
}

static void *work(void *arg)
{
    struct engine *e = arg;
    setpriority(PRIO_PROCESS, 0, WORKER_NICE); /* this thread alone: sound and screen go first */
    pthread_mutex_lock(&e->jobs);
    while (!e->quit) {
        struct job *j = e->first;
        if (!j) {
            pthread_cond_wait(&e->work, &e->jobs);
            continue;
        }
        e->first = j->next;
        e->now = j;
        pthread_mutex_unlock(&e->jobs);
        run_job(e, j);
        pthread_mutex_lock(&e->jobs);
    }
    pthread_mutex_unlock(&e->jobs);
    return NULL;
}

/* With `jobs` held. */
static enum err start_worker(struct engine *e)
{
    if (!e->started && pthread_create(&e->worker, NULL, work, e) != 0)
        return err_set(ERR_NOMEM, "no thread for the engine");
    e->started = true;
    return ERR_OK;
}

static void append(struct engine *e, struct job *j)
{
    struct job **end = &e->first;
    while (*end)
        end = &(*end)->next;
    *end = j;
}

enum err engine_submit(struct engine *e, const char *model, const struct request *rq, int *job)
{
    TRY(request_check(rq));
    if (rq->z)
        return err_set(ERR_UNSUPPORTED, "latent vectors are for requests that are waited for");
    struct job *j = xcalloc(1, sizeof *j);
    j->model = model && *model ? xstrdup(model) : NULL;
    j->request = *rq;
    const struct song **asked[] = {&j->request.song, &j->request.from, &j->request.to};
    for (size_t i = 0; i < COUNT_OF(asked); i++)
        if (*asked[i])
            *asked[i] = j->song[i] = song_dup(*asked[i]);
    pthread_mutex_lock(&e->jobs);
    enum err err = start_worker(e);
    if (!err) {
        *job = j->id = ++e->last_id;
        atomic_fetch_add(&e->n_jobs, 1);
        append(e, j);
        pthread_cond_signal(&e->work);
    }
    pthread_mutex_unlock(&e->jobs);
    if (err)
        job_free(j);
    return err;
}

/* Only a mark: the last event of a job always comes from the worker, in its turn, because whoever cancels may
 * be the one who has to read events before another fits. */
void engine_cancel(struct engine *e, int job)
{
    pthread_mutex_lock(&e->jobs);
    if (e->now && (job < 0 || e->now->id == job))
        atomic_store(&e->now->cancel, true);
    for (struct job *j = e->first; j; j = j->next)
        if (job < 0 || j->id == job)
            atomic_store(&j->cancel, true);
    pthread_mutex_unlock(&e->jobs);
}

double engine_progress(struct engine *e)
{
    return atomic_load(&e->n_jobs) > 0 ? (double)atomic_load(&e->done) / SCALE : -1;
}

/* ---- life ---- */

enum err engine_new(const char *device, int threads, struct engine **out)
{
    struct device *d = NULL;
    bool any = !device || !*device || str_same(device, "auto");
    TRY(device_open(any ? "cpu" : device, threads, &d));
    struct engine *e = xcalloc(1, sizeof *e);
    e->device = d;
    e->threads = threads;
    e->events = queue_new(sizeof(struct event), EVENTS);
    pthread_mutex_init(&e->running, NULL);
    pthread_mutex_init(&e->jobs, NULL);
    pthread_cond_init(&e->work, NULL);
    *out = e;
    return ERR_OK;
}

void engine_set_precision(struct engine *e, enum precision p)
{
    device_set_precision(e->device, p);
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    atomic_store(&e->leaving, true);
    engine_cancel(e, -1);
    pthread_mutex_lock(&e->jobs);
    e->quit = true;
    pthread_cond_signal(&e->work);
    pthread_mutex_unlock(&e->jobs);
    if (e->started)
        pthread_join(e->worker, NULL);
    for (struct job *j = e->first; j; j = e->first) {
        e->first = j->next;
        job_free(j);
    }
    struct event ev;
    while (engine_next(e, &ev))
        event_fini(&ev);
    for (size_t i = 0; i < e->n_cache; i++) {
        e->cache[i].kind->close(e->cache[i].model);
        free(e->cache[i].path);
    }
    free(e->cache);
    device_close(e->device);
    device_close(e->left);
    queue_free(e->events);
    pthread_cond_destroy(&e->work);
    pthread_mutex_destroy(&e->jobs);
    pthread_mutex_destroy(&e->running);
    free(e);
}
