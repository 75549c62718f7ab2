/* verb.h: the verbs on music. Weight files found by name, loaded once, asked with a request. Also the
 * asynchronous engine the screen uses: a worker thread, jobs, and events with a descriptor to poll. */
#pragma once
#include "model.h"
#include "song.h"

/* Weight files (*.safetensors of a known family): the folders of $JAMROLL_MODELS (a list with colons),
 * $XDG_DATA_HOME/jamroll/models, the install folder, ./models, and models/ beside the program's folder. Of two
 * with one name the first found counts. Families in the order of the registry, so the first that has a verb is
 * the best for it. Nothing found is an empty list, not an error. Strings are never NULL. */
struct model_info { char *path, *name, *family, *licence; size_t bytes; char hash[20]; unsigned verbs;
                    char **genres; int n_genres; char **styles; int n_styles; };
NODISCARD enum err models_list(struct model_info **out, size_t *n);
void models_list_free(struct model_info *list, size_t n);
/* NULL = best for v; with N_VERBS there has to be a name, and no verb is asked. ERR_MISSING. */
NODISCARD enum err models_find(const char *name_or_path, enum verb v, char **path);

struct engine;
/* device NULL = "auto": the CPU. What is played is small and one at a time, done there before a GPU has started; a GPU
 * is used when it is asked for by name. Where its memory does not hold a model, the engine moves to the CPU for good
 * and says so in the log. */
NODISCARD enum err engine_new(const char *device, int threads, struct engine **out);
void engine_set_precision(struct engine *e, enum precision p); /* of models loaded from now on */
void engine_free(struct engine *e);                     /* cancels and joins */
/* Cached by path until engine_free; synchronous; NULL = best. ERR_UNSUPPORTED when the family lacks the verb;
 * of N_VERBS, for a model that has a name, no verb is asked. */
NODISCARD enum err engine_load(struct engine *e, const char *model, enum verb v, const struct model_kind **kind,
                               struct model **out);
/* Synchronous: takes arrive through p->on_take in order of completion. Waits for a job that is running. */
NODISCARD enum err engine_run(struct engine *e, const char *model, const struct request *rq, const struct progress *p);
/* Weights that transfer to rq->genre_to, from rq->genre_from if that is named; model NULL = any there are, and of
 * several those from what a judge takes the music for. Sets both and rq->genre; *path is malloc'd. What engine_run does
 * itself with genres that are named. */
NODISCARD enum err engine_pair(struct engine *e, const char *model, struct request *rq, char **path);

enum event_kind { EVENT_TAKE, EVENT_PART, EVENT_DONE, EVENT_FAILED, EVENT_CANCELLED };
/* EVENT_PART: the first take of a job as far as it is written, bar by bar, of families that write from left to right.
 * take (heap) and text are owned by the receiver: set to NULL what is kept, event_fini frees the rest. Every
 * job ends with exactly one event that brings no take; its index is the number of takes that came. */
struct event { enum event_kind kind; int job, index; struct take *take; char *text; };
/* Start a job in the worker; the request and its song are copied. One runs at a time, others wait. Jobs count
 * from 1. A bad request is refused at once. */
NODISCARD enum err engine_submit(struct engine *e, const char *model, const struct request *rq, int *job);
void engine_cancel(struct engine *e, int job);           /* -1 = all; returns at once */
double engine_progress(struct engine *e);                /* 0..1 of the running job, -1 when idle */
int engine_fd(struct engine *e);                         /* readable while events wait */
bool engine_next(struct engine *e, struct event *out);   /* false when there is none */
void event_fini(struct event *ev);

/* Defaults: the whole song, at least four bars, in whole phrases of four; nothing kept; any genre, free key,
 * temperature 1, top_p 0.99, one take, seed 0. */
void request_init(struct request *rq, enum verb v, const struct song *song);
enum { SUGGESTIONS = 5, SUGGESTION_NOTES = 24 };
/* Suggest at that tick: the span is its bar and the three after it, nothing kept, SUGGESTIONS candidates. */
void request_suggest(struct request *rq, const struct song *song, enum role role, int32_t at);
/* A candidate of VERB_SUGGEST: what its take adds to the song it was asked on, and how likely that is. */
struct suggestion { double p; int n; struct note notes[SUGGESTION_NOTES]; };
void suggestion_of(const struct take *t, const struct song *song, enum role role, int32_t at, struct suggestion *out);
NODISCARD enum err request_check(const struct request *rq); /* what no family could carry out */
/* "bach", "bach debussy:0.3", "bach:1..0, ravel:0..1" (a weight, or one that glides over the span) among names, or
 * "any". Styles without a weight share what the others leave of 1. ERR_FORMAT with the names there are. */
NODISCARD enum err request_style(struct request *rq, const char *text, char *const *names, int n);
