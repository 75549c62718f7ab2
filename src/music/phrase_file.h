/* phrase_file.h: the packed phrase file as phrase.c reads it and dataset.c writes it. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "err.h"
struct song; struct dataset;

#define PHRASE_MAGIC "JRPHRASE"
enum { PHRASE_VERSION = 1, PHRASE_HEADER_BYTES = 64, PHRASE_RECORD_BYTES = 24 };

/* Written field by field in this order, then two zero bytes. */
struct phrase_record {
    uint64_t first;
    uint32_t n;
    uint16_t genre, song;
    uint8_t tonic, minor, held_out, set;
    uint16_t bar;
};

/* Either kind of data set; bytes are borrowed until it is closed, path is for messages. */
NODISCARD enum err dataset_parse(const uint8_t *bytes, size_t len, const char *path, struct dataset **out);
NODISCARD enum err phrase_check_bars(const struct song *s, int bar0); /* ERR_UNSUPPORTED unless all 4/4 */
