/* cli.h: what the commands share: their rows, exit codes, messages, loading and naming of files.
 *
 * Data goes to standard output, messages to standard error. A command returns its exit code; cli_fail
 * turns the last error of a stage into one, and is the only place that maps errors to codes. */
#pragma once
#include <jansson.h>
#include <stdatomic.h>
#include "err.h"
#include "model.h"
#include "opt.h"
#include "song.h"
#include "str.h"

enum exit_code { EXIT_OK, EXIT_FAILED, EXIT_USAGE, EXIT_INPUT, EXIT_MODEL, EXIT_DEVICE, EXIT_OUTPUT, EXIT_EMPTY,
                 EXIT_INTERRUPTED = 130 };
/* What was being done when something failed: it decides the exit code. */
enum stage { STAGE_USAGE, STAGE_INPUT, STAGE_MODEL, STAGE_WORK, STAGE_DEVICE, STAGE_OUTPUT };

enum { JSON_SCHEMA = 1 };

struct cli {
    const struct command *command;
    struct opts *opts;
    bool json, quiet;
    json_t *result;  /* with --json: what is printed at the end; commands add to it */
};

struct command {
    const char *name, *args, *help; /* "accompany", "IN.mid", one line */
    const struct opt *options;
    size_t n_options;
    int min_args, max_args;         /* max -1: any number */
    int (*run)(struct cli *c);
};

extern const struct command cmd_generate, cmd_accompany, cmd_infill, cmd_vary, cmd_interpolate, cmd_continue,
    cmd_transfer, cmd_suggest, cmd_render, cmd_play, cmd_info,
    cmd_lint, cmd_convert, cmd_batch, cmd_keys, cmd_models, cmd_doctor, cmd_devices, cmd_dataset,
    cmd_train, cmd_eval, cmd_help, cmd_completion, cmd_screen;
extern const struct command *const commands[];
extern const size_t n_commands;
const struct command *command_find(const char *name);
void command_help_text(const struct command *cmd, struct str *out);
void commands_overview(struct str *out);

/* The whole of the program: parses, runs, returns the exit code. */
int cli_main(int argc, char **argv);

/* Options every command has; part of each table. */
#define OPT_COMMON \
    {"json", 0, OPT_FLAG, 0, 0, NULL, NULL, NULL, "print the result as JSON with a schema number"}, \
    {"quiet", 'q', OPT_FLAG, 0, 0, NULL, NULL, NULL, "no messages but errors"}, \
    {"help", 'h', OPT_FLAG, 0, 0, NULL, NULL, NULL, "this help"}
#define OPT_DEVICE \
    {"device", 0, OPT_TEXT, 0, 0, "auto", NULL, "NAME", \
     "where networks run: cpu, cuda, auto (training: a GPU if there is one; all else: the CPU)"}, \
    {"precision", 0, OPT_TEXT, 0, 0, "fp32", NULL, "NAME", "of products on a GPU: fp32, tf32, bf16; weights stay fp32"}, \
    {"threads", 0, OPT_INT, 0, 256, "0", NULL, "N", "compute threads, 0 = all cores"}
/* Of commands that read a song: heeded by cli_load. */
#define OPT_SECTION \
    {"section", 0, OPT_TEXT, 0, 0, NULL, NULL, "NAME", "of a project this section alone; default: the whole chain"}
#define OPTIONS_OF(table) .options = (table), .n_options = COUNT_OF(table)

int cli_fail(struct cli *c, enum stage stage, enum err err);
/* By OPT_DEVICE; a failure is of STAGE_DEVICE. */
struct engine;
NODISCARD enum err cli_engine(const struct cli *c, struct engine **out);
int cli_usage(struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void cli_note(const struct cli *c, const char *fmt, ...) PRINTF_LIKE(2, 3);  /* unless --quiet */
/* json_object_set_new for --json; drops the value otherwise. */
void cli_set(struct cli *c, const char *key, json_t *value);
json_t *json_text(const char *text);                                         /* NULL -> null; bad UTF-8 replaced */

/* Ctrl-C sets this flag once asked for; a second Ctrl-C ends the program. */
const atomic_bool *cli_interrupt(void);

/* For struct progress: per cent on the line of a terminal; NULL when nobody would see it. */
typedef void progress_fn(void *ctx, double fraction);
progress_fn *cli_progress(const struct cli *c);

/* Any readable kind: MIDI (also "-"), .npz, .jam. Oddities are noted on stderr, or kept in *report. */
NODISCARD enum err cli_load(struct cli *c, const char *path, struct song **out, struct str *report);
/* The same on the band's five tracks. */
NODISCARD enum err cli_load_band(struct cli *c, const char *path, struct song **band);
/* "IN-COMMAND.mid" for what a command makes of its first argument and nobody gave a name; malloc'd. */
char *cli_name_for(const struct cli *c);
/* `wanted`, or with -2, -3, ... before the extension while that exists: for names nobody gave. malloc'd. */
char *cli_free_name(const char *wanted);

/* Cells of the band, bars absolute and counted from 0. */
struct cells { uint8_t at[N_ROLES][REQUEST_MAX_BARS]; };
/* "piano,bass", "piano:1-2", "1-2" (every track), "all", "none"; bars counted from 1, within n_bars. */
NODISCARD enum err cells_parse(const char *text, int n_bars, struct cells *out);
/* "5-8", "5", "5-" (to the end of n_bars); none beyond `most`. */
NODISCARD enum err bars_parse(const char *text, int n_bars, int most, int *first, int *n);
/* "3", "3.2", "3.2.3": bar, quarter and sixteenth as the screen tells a place, within the song or behind it. */
NODISCARD enum err place_parse(const char *text, const struct song *s, int32_t *tick);
void place_print(const struct song *s, int32_t tick, char out[24]);
NODISCARD enum err role_of_text(const char *text, enum role *out);
NODISCARD enum err roles_parse(const char *text, bool out[N_ROLES]);              /* "drums,bass" */
/* "5" for every track, or "drums=3,bass=5"; the rest stays. */
NODISCARD enum err density_parse(const char *text, int out[N_ROLES]);
/* "C2:C6" for all, "bass=E1:G3" for one; strict. */
NODISCARD enum err ranges_parse(const char *text, struct pitch_range out[N_ROLES]);
