/* ckpt.h: safetensors files (8-byte little-endian header length, JSON header, data). Hostile input: header
 * at most 1 MiB, sizes equal dtype x shape, offsets inside the file and without overlap. */
#pragma once
#include "param.h"
struct ema; struct opt; struct opts;

struct ckpt_tensor { const char *name; enum dtype dtype; struct shape shape; const void *data; };
struct ckpt;
NODISCARD enum err ckpt_open(const char *path, struct ckpt **out);           /* mmap */
/* The same from memory; bytes are borrowed until ckpt_close, `name` is for messages. */
NODISCARD enum err ckpt_parse(const uint8_t *bytes, size_t len, const char *name, struct ckpt **out);
void ckpt_close(struct ckpt *c);
const char *ckpt_meta(const struct ckpt *c, const char *key);                 /* NULL if absent */
size_t ckpt_n_meta(const struct ckpt *c);
void ckpt_meta_at(const struct ckpt *c, size_t i, const char **key, const char **value);
/* Values against a table, each where the metadata has "option.NAME", else its default. *out is the caller's. */
NODISCARD enum err ckpt_options(const struct ckpt *c, const struct opt *table, size_t n, struct opts **out);
size_t ckpt_n(const struct ckpt *c);
struct ckpt_tensor ckpt_at(const struct ckpt *c, size_t i);
bool ckpt_find(const struct ckpt *c, const char *name, struct ckpt_tensor *out);
const char *ckpt_hash(const struct ckpt *c);     /* 16 hex digits over all bytes of the file */

struct ckpt_writer;
struct ckpt_writer *ckpt_writer_new(void);
void ckpt_writer_meta(struct ckpt_writer *w, const char *key, const char *value);
/* Copies data. */
void ckpt_writer_add(struct ckpt_writer *w, const char *name, enum dtype t, struct shape s, const void *data);
NODISCARD enum err ckpt_writer_save(struct ckpt_writer *w, const char *path); /* atomic; frees the writer; ERR_RANGE for NaN */
void ckpt_writer_free(struct ckpt_writer *w);    /* of what is not to be saved after all */

/* A whole parameter set: every declared tensor must be there with its shape (ERR_SHAPE with the name). */
NODISCARD enum err ckpt_load_params(const struct ckpt *c, struct params *p, struct device *d);
void ckpt_add_params(struct ckpt_writer *w, const struct params *p, struct device *d);
/* Only tensors whose names start with prefix, states included. */
void ckpt_add_params_named(struct ckpt_writer *w, const struct params *p, const char *prefix,
                           struct device *d);
NODISCARD enum err ckpt_load_params_named(const struct ckpt *c, struct params *p, const char *prefix,
                                          struct device *d);
/* Training state beside the weights: moments, under "adam.m/" and "adam.v/". */
void ckpt_add_moments(struct ckpt_writer *w, const struct params *p, struct device *d);
NODISCARD enum err ckpt_load_moments(const struct ckpt *c, struct params *p, struct device *d);
/* The averaged weights, under "ema/", with the count of updates. */
void ckpt_add_ema(struct ckpt_writer *w, struct ema *e, const struct params *p, struct device *d);
NODISCARD enum err ckpt_load_ema(const struct ckpt *c, struct ema *e, const struct params *p,
                                 struct device *d);
