/* takes.h: where the takes of a command go: one file (of any kind by its ending: music, rolls, pictures), numbered files,
 * a folder, or standard output. Each is
 * written when it arrives, so that an interrupted command keeps what was finished. */
#pragma once
#include "cli.h"

/* Of every command that opens takes. */
#define OPT_TAKES \
    {"format", 0, OPT_INT, 0, 1, "1", NULL, "0|1", "MIDI file format"}, \
    {"stems", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "also one MIDI file a track of each take"}

struct takes {
    struct cli *c;
    char *path;          /* of the one file, or of the folder; owned */
    bool folder, numbered;
    int midi_format;
    bool stems;
    struct song **songs; /* of all takes, for a picture of them together; NULL unless it was asked for */
    int n_wanted, n_written, n_empty;
    json_t *list;        /* one object a take, in order of their numbers */
    enum err err;        /* of the first that could not be written */
    char text[256];
};

/* out NULL: `fallback` in the current folder under a free name. A folder is made if missing. */
NODISCARD enum err takes_open(struct takes *t, struct cli *c, const char *out, const char *fallback, int n);
void takes_fini(struct takes *t);
/* Keep the takes' music, and when all have come draw them `columns` in a row, each n_bars long. */
void takes_keep(struct takes *t);
NODISCARD enum err takes_picture(const struct takes *t, int columns, int n_bars, const char *path);
/* For struct progress: what the take holds is the callee's. After a failure the rest is dropped. */
void takes_add(void *ctx, int index, struct take *take);
