/* cmd_doctor.c: does everything work here? One row a check. And devices: the ports and cards alone. */
#include "cli.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "clock.h"
#include "midiin.h"
#include "midiout.h"
#include "player.h"
#include "plan.h"
#include "pool.h"
#include "synth.h"
#include "verb.h"

enum health { FINE, LACKING, BROKEN }; /* lacking: works, but something is not there */

static enum health check_program(struct cli *c, struct str *out)
{
    (void)c;
    struct sysinfo info;
    double memory = sysinfo(&info) == 0 ? (double)info.totalram * info.mem_unit / 1e9 : 0;
    str_addf(out, "jamroll %s; %d cores, %.1f GB memory", JAMROLL_VERSION, pool_cores(), memory);
    return FINE;
}

static enum health check_terminal(struct cli *c, struct str *out)
{
    (void)c;
    struct winsize size = {0};
    const char *term = getenv("TERM");
    bool utf8 = str_same(nl_langinfo(CODESET), "UTF-8");
    if (!isatty(STDOUT_FILENO) && !isatty(STDERR_FILENO)) {
        str_add(out, "no terminal here: the commands work, the screen needs one");
        return LACKING;
    }
    if (ioctl(isatty(STDOUT_FILENO) ? STDOUT_FILENO : STDERR_FILENO, TIOCGWINSZ, &size) != 0)
        size = (struct winsize){0};
    str_addf(out, "TERM=%s, %d x %d, %s", term ? term : "(unset)", size.ws_col, size.ws_row,
             utf8 ? "UTF-8" : "not UTF-8: the screen draws in ASCII");
    bool small = size.ws_col < 60 || size.ws_row < 16;
    if (small)
        str_add(out, "; the screen needs 60 x 16");
    return small || !utf8 || !term ? LACKING : FINE;
}

static enum health check_compute(struct cli *c, struct str *out)
{
    struct device *d = NULL;
    if (device_open(opts_text(c->opts, "device"), (int)opts_int(c->opts, "threads"), &d) != ERR_OK) {
        str_add(out, err_text());
        return BROKEN;
    }
    str_addf(out, "%s\n", device_name(d));
    device_report(d, out);
    while (out->len > 0 && out->p[out->len - 1] == '\n')
        out->p[--out->len] = '\0';
    device_close(d);
    return FINE;
}

/* What a GPU would do here, or why there is none to be had. */
static enum health check_cuda(struct cli *c, struct str *out)
{
    (void)c;
    struct device *d = NULL;
    if (device_open("cuda", 1, &d) != ERR_OK) {
        str_add(out, err_text());
        return LACKING;
    }
    str_add(out, device_name(d));
    device_close(d);
    return FINE;
}

static enum health check_models(struct cli *c, struct str *out)
{
    (void)c;
    struct model_info *list = NULL;
    size_t n = 0;
    if (models_list(&list, &n) != ERR_OK || n == 0) {
        models_list_free(list, n);
        str_add(out, "no weight files in $JAMROLL_MODELS, $XDG_DATA_HOME/jamroll/models, share/jamroll/models of the "
                     "installation, ./models");
        return BROKEN;
    }
    for (size_t i = 0; i < n; i++)
        str_addf(out, "%s%s (%s) %s", i ? "\n" : "", list[i].name, list[i].family, list[i].path);
    models_list_free(list, n);
    return FINE;
}

static enum health check_font(struct cli *c, struct str *out)
{
    (void)c;
    char *path = soundfont_find(NULL);
    str_add(out, path ? path : "none found: the built-in one sounds thin; install timgm6mb-soundfont or fluid-soundfont-gm");
    enum health health = path ? FINE : LACKING;
    free(path);
    return health;
}

static enum health check_audio(struct cli *c, struct str *out)
{
    (void)c;
    struct player *p = NULL;
    const struct player_opts o = {.audio = "auto", .gain_db = -8};
    if (player_new(&o, &p) != ERR_OK) {
        str_add(out, err_text());
        return LACKING;
    }
    enum player_state state = player_wait(p);
    str_add(out, player_note(p));
    player_free(p);
    return state == PLAYER_SOUND ? FINE : LACKING;
}

static enum health list_ports(int (*list)(struct str *), const char *what, struct str *out)
{
    int n = list(out);
    while (out->len > 0 && out->p[out->len - 1] == '\n')
        out->p[--out->len] = '\0';
    if (n == 0)
        str_addf(out, "no MIDI %s", what);
    return n > 0 ? FINE : LACKING;
}

static enum health check_midi_out(struct cli *c, struct str *out)
{
    (void)c;
    return list_ports(midiout_list, "output", out);
}

static enum health check_midi_in(struct cli *c, struct str *out)
{
    (void)c;
    return list_ports(midiin_list, "input", out);
}

struct check { const char *name; enum health (*run)(struct cli *c, struct str *out); };
static const struct check doctor_checks[] = {
    {"program", check_program}, {"terminal", check_terminal}, {"compute", check_compute}, {"cuda", check_cuda},
    {"models", check_models},   {"soundfont", check_font},    {"audio", check_audio},     {"midi out", check_midi_out},
    {"midi in", check_midi_in},
};
static const struct check device_checks[] = {
    {"audio", check_audio}, {"midi out", check_midi_out}, {"midi in", check_midi_in}};

static void print_check(const struct check *check, enum health health, const char *text)
{
    static const char *const marks[] = {"ok", "--", "BAD"};
    printf("%-3s %-10s", marks[health], check->name);
    for (;;) { /* further lines under the first */
        size_t n = strcspn(text, "\n");
        printf("%.*s\n", (int)n, text);
        text += n;
        if (text[0] == '\0' || text[1] == '\0')
            break;
        text++;
        printf("%14s", "");
    }
}

static int run_checks(struct cli *c, const struct check *checks, size_t n)
{
    static const char *const words[] = {"ok", "lacking", "bad"};
    int code = EXIT_OK;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        struct str text;
        str_init(&text);
        enum health health = checks[i].run(c, &text);
        if (health == BROKEN)
            code = EXIT_FAILED;
        if (!c->json)
            print_check(&checks[i], health, str_c(&text));
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "check", checks[i].name, "state", words[health], "text",
                                              json_text(str_c(&text))));
        str_fini(&text);
    }
    cli_set(c, "checks", list);
    return code;
}

static int run_doctor(struct cli *c)
{
    return run_checks(c, doctor_checks, COUNT_OF(doctor_checks));
}

static int run_devices(struct cli *c)
{
    return run_checks(c, device_checks, COUNT_OF(device_checks));
}

static const struct opt doctor_options[] = {OPT_DEVICE, OPT_COMMON};
static const struct opt devices_options[] = {OPT_COMMON};

const struct command cmd_doctor = {"doctor", "", "check terminal, compute, models, sound and MIDI",
                                   OPTIONS_OF(doctor_options), 0, 0, run_doctor};
const struct command cmd_devices = {"devices", "", "sound cards and MIDI ports", OPTIONS_OF(devices_options), 0, 0,
                                    run_devices};
