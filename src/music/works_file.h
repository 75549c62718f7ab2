/* works_file.h: the works file as works.c reads it and works_build.c writes it. Little-endian: a header of 64 bytes,
 * names ended by zero bytes (sets, eras, composers, works), records of 48 bytes, metres of 6, notes of 8. */
#pragma once
#include <stdint.h>
#include "works.h"

#define WORKS_MAGIC "JRWORKS\0"
enum { WORKS_VERSION = 1, WORKS_HEADER_BYTES = 64, WORKS_RECORD_BYTES = 48, WORKS_METRE_BYTES = 6,
       WORKS_NOTE_BYTES = 8, WORKS_MAX_COLUMNS = 1 << 26 };

/* Written field by field in this order, then zero bytes. */
struct work_record {
    uint64_t first;
    uint32_t n, first_metre, n_metres, quarters;
    uint16_t era, composer, group, editions, bpm;
    uint8_t tonic, minor, set, held_out;
};

/* bytes are borrowed during the call only; path is for messages. */
NODISCARD enum err works_parse(const uint8_t *bytes, size_t len, const char *path, struct works **out);
void works_free(struct works *w);
