/* setting.c: see setting.h. */
#include "setting.h"

#include "str.h"
#include "theory.h"

static int clamp(int x, int lo, int hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

static struct settings *settings_of(const struct desk *d)
{
    return session_settings(d->session);
}

static void print_genre(const struct desk *d, char out[SETTING_TEXT])
{
    str_copy(out, SETTING_TEXT, settings_of(d)->genre);
}

static void step_genre(const struct desk *d, int by, char out[SETTING_TEXT])
{
    (void)d;
    str_copy(out, SETTING_TEXT, by > 0 ? "next" : "prev");
}

static void print_style(const struct desk *d, char out[SETTING_TEXT])
{
    str_copy(out, SETTING_TEXT, settings_of(d)->style);
}

static void print_model(const struct desk *d, char out[SETTING_TEXT])
{
    const struct model_info *m = desk_model(d);
    if (m)
        str_format(out, SETTING_TEXT, "%s  %.1f MB", m->name, (double)m->bytes / 1e6);
    else
        str_copy(out, SETTING_TEXT, "none found");
}

static void step_model(const struct desk *d, int by, char out[SETTING_TEXT])
{
    const struct model_info *m = desk_model(d);
    int n = (int)d->n_models, at = 0;
    for (int i = 0; i < n; i++)
        at = &d->models[i] == m ? i : at;
    str_copy(out, SETTING_TEXT, n ? d->models[(at + by + n) % n].name : "best");
}

static void print_key(const struct desk *d, char out[SETTING_TEXT])
{
    struct key k = desk_key(d);
    char heard[16];
    key_print(k, heard);
    if (str_same(settings_of(d)->key, "auto"))
        str_format(out, SETTING_TEXT, "auto (%s)", heard);
    else
        str_copy(out, SETTING_TEXT, heard);
}

/* Round the circle of fifths, every key beside its relative. */
static void step_key(const struct desk *d, int by, char out[SETTING_TEXT])
{
    static const char *const round[] = {"auto", "C",   "Am", "G",   "Em", "D",   "Bm", "A",   "F#m",
                                        "E",    "C#m", "B",  "G#m", "F#", "D#m", "Db", "Bbm", "Ab",
                                        "Fm",   "Eb",  "Cm", "Bb",  "Gm", "F",   "Dm"};
    struct key now = {.tonic = -1}, k;
    int n = (int)COUNT_OF(round), at = 0;
    key_parse(settings_of(d)->key, &now);
    for (int i = 1; i < n; i++)
        if (key_parse(round[i], &k) && k.tonic == now.tonic && k.minor == now.minor)
            at = i;
    str_copy(out, SETTING_TEXT, round[(at + by + n) % n]);
}

static void print_snap(const struct desk *d, char out[SETTING_TEXT])
{
    str_copy(out, SETTING_TEXT, settings_of(d)->snap ? "on: notes of the key only" : "off");
}

static void step_snap(const struct desk *d, int by, char out[SETTING_TEXT])
{
    (void)d;
    str_copy(out, SETTING_TEXT, by > 0 ? "on" : "off");
}

static void print_temperature(const struct desk *d, char out[SETTING_TEXT])
{
    str_format(out, SETTING_TEXT, "%.2f", settings_of(d)->temperature);
}

static void step_temperature(const struct desk *d, int by, char out[SETTING_TEXT])
{
    int hundredths = (int)(settings_of(d)->temperature * 100 + 0.5) + 5 * by;
    str_format(out, SETTING_TEXT, "%.2f", clamp(hundredths, 5, 300) / 100.0);
}

static void print_seed(const struct desk *d, char out[SETTING_TEXT])
{
    const struct settings *o = settings_of(d);
    str_format(out, SETTING_TEXT, "%llu%s", (unsigned long long)o->seed, o->seed_locked ? " (fixed)" : "");
}

static void step_seed(const struct desk *d, int by, char out[SETTING_TEXT])
{
    uint64_t seed = settings_of(d)->seed;
    str_format(out, SETTING_TEXT, "%llu", (unsigned long long)(by > 0 ? seed + 1 : seed > 0 ? seed - 1 : 0));
}

static void print_batch(const struct desk *d, char out[SETTING_TEXT])
{
    str_format(out, SETTING_TEXT, "%d takes", settings_of(d)->batch);
}

static void step_batch(const struct desk *d, int by, char out[SETTING_TEXT])
{
    str_format(out, SETTING_TEXT, "%d", clamp(settings_of(d)->batch + by, 1, 32));
}

static void print_density(const struct desk *d, char out[SETTING_TEXT])
{
    int n = settings_of(d)->density[d->track];
    const char *who = role_name((enum role)d->track);
    if (n < 0)
        str_format(out, SETTING_TEXT, "auto  (%s)", who);
    else
        str_format(out, SETTING_TEXT, "%d of 7  (%s)", n, who);
}

/* Below the thinnest the choice is the model's. */
static void step_density(const struct desk *d, int by, char out[SETTING_TEXT])
{
    int n = clamp(settings_of(d)->density[d->track], 0, 7) + by;
    if (n < 1)
        str_copy(out, SETTING_TEXT, "auto");
    else
        str_format(out, SETTING_TEXT, "%d", clamp(n, 1, 7));
}

static void print_range(const struct desk *d, char out[SETTING_TEXT])
{
    const struct pitch_range *p = &settings_of(d)->range[d->track];
    const char *who = role_name((enum role)d->track);
    char lo[8], hi[8];
    pitch_name(p->lo, d->middle_c, lo);
    pitch_name(p->hi, d->middle_c, hi);
    if (p->hi == 0)
        str_format(out, SETTING_TEXT, "any  (%s)", who);
    else
        str_format(out, SETTING_TEXT, "%s to %s %s (%s)", lo, hi, p->strict ? "strict" : "loose", who);
}

/* Any pitch, then where the instrument lies well, then nothing but that. */
static void step_range(const struct desk *d, int by, char out[SETTING_TEXT])
{
    static const char *const well[N_ROLES] = {"auto", "E2 C6", "E2 E5", "E1 G3", "G3 C6"};
    const struct pitch_range *p = &settings_of(d)->range[d->track];
    int at = p->hi == 0 ? 0 : p->strict ? 2 : 1, to = clamp(at + by, 0, d->track == ROLE_DRUMS ? 0 : 2);
    str_format(out, SETTING_TEXT, "%s%s", to ? well[d->track] : "auto", to == 2 ? " strict" : "");
}

static void print_distance(const struct desk *d, char out[SETTING_TEXT])
{
    str_format(out, SETTING_TEXT, "%.1f of open bars anew", settings_of(d)->distance);
}

static void step_distance(const struct desk *d, int by, char out[SETTING_TEXT])
{
    str_format(out, SETTING_TEXT, "%d", clamp((int)(settings_of(d)->distance * 10 + 0.5) + by, 1, 9));
}

static void print_strength(const struct desk *d, char out[SETTING_TEXT])
{
    str_format(out, SETTING_TEXT, "%.1f of a transfer", settings_of(d)->strength);
}

static void step_strength(const struct desk *d, int by, char out[SETTING_TEXT])
{
    str_format(out, SETTING_TEXT, "%.1f", clamp((int)(settings_of(d)->strength * 10 + 0.5) + by, 0, 10) / 10.0);
}

static void print_melody(const struct desk *d, char out[SETTING_TEXT])
{
    str_copy(out, SETTING_TEXT, settings_of(d)->lock_melody ? "locked in a transfer" : "free");
}

static void step_melody(const struct desk *d, int by, char out[SETTING_TEXT])
{
    (void)d;
    str_copy(out, SETTING_TEXT, by > 0 ? "lock" : "free");
}

static void print_drums(const struct desk *d, char out[SETTING_TEXT])
{
    str_copy(out, SETTING_TEXT, settings_of(d)->remake_drums ? "anew in a transfer" : "kept");
}

static void step_drums(const struct desk *d, int by, char out[SETTING_TEXT])
{
    (void)d;
    str_copy(out, SETTING_TEXT, by > 0 ? "remake" : "keep");
}

const struct setting settings_table[] = {
    {"genre", print_genre, step_genre},
    {"style", print_style, step_genre},
    {"model", print_model, step_model},
    {"key", print_key, step_key},
    {"snap", print_snap, step_snap},
    {"temperature", print_temperature, step_temperature},
    {"seed", print_seed, step_seed},
    {"batch", print_batch, step_batch},
    {"density", print_density, step_density},
    {"range", print_range, step_range},
    {"distance", print_distance, step_distance},
    {"strength", print_strength, step_strength},
    {"melody", print_melody, step_melody},
    {"drums", print_drums, step_drums},
};
const int n_settings = (int)COUNT_OF(settings_table);
