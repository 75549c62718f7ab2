/* verb.h: the verbs on music. Weight files found by name, loaded once, asked with a request. Also the
 * asynchronous engine the screen uses: a worker thread, jobs, and events with a descriptor to poll. */
#pragma once
#include "model.h"

/* Weight files: $JAMROLL_MODELS, $XDG_DATA_HOME/jamroll/models, the install folder, ./models. */
struct model_info { char *path, *name, *family, *licence; size_t bytes; char hash[20]; unsigned verbs;
                    char **genres; int n_genres; };
NODISCARD enum err models_list(struct model_info **out, size_t *n);
void models_list_free(struct model_info *list, size_t n);
NODISCARD enum err models_find(const char *name_or_path, enum verb v, char **path); /* NULL = best for v; ERR_MISSING */

struct engine;
NODISCARD enum err engine_new(const char *device, int threads, struct engine **out);
void engine_free(struct engine *e);                     /* cancels and joins */
NODISCARD enum err engine_load(struct engine *e, const char *model, enum verb v, const struct model_kind **kind,
                               struct model **out);     /* cached; synchronous; NULL = best */
/* Synchronous: takes arrive through p->on_take in order of completion. */
NODISCARD enum err engine_run(struct engine *e, const char *model, const struct request *rq, const struct progress *p);

enum event_kind { EVENT_TAKE, EVENT_DONE, EVENT_FAILED, EVENT_CANCELLED };
struct event { enum event_kind kind; int job, index; struct take *take; char *text; }; /* take, text owned by the receiver */
/* Start a job in the worker; the request and its song are copied. One runs at a time, others wait. */
NODISCARD enum err engine_submit(struct engine *e, const char *model, const struct request *rq, int *job);
void engine_cancel(struct engine *e, int job);           /* -1 = all */
double engine_progress(struct engine *e);                /* 0..1 of the running job, -1 when idle */
int engine_fd(struct engine *e);
bool engine_next(struct engine *e, struct event *out);   /* false when there is none */
void event_fini(struct event *ev);

void request_init(struct request *rq, enum verb v, const struct song *song); /* defaults */
