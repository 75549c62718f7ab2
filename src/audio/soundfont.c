/* soundfont.c: where SoundFonts are looked for. Distributions agree on little, so the list is long; the
 * first file that exists wins, and whoever plays shows which one it was. */
#include <fluidsynth.h>
#include <stdlib.h>
#include <string.h>
#include "file.h"
#include "hush.h"
#include "log.h"
#include "mem.h"
#include "str.h"
#include "synth.h"

static const char *const usual[] = {
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/soundfonts/default.sf2",
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",
    "/usr/share/sounds/sf2/TimGM6mb.sf2",
    "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
    "/usr/share/soundfonts/GeneralUser-GS.sf2",
    "/usr/local/share/soundfonts/default.sf2",
    "/usr/local/share/sounds/sf2/default-GM.sf2",
};

static char *existing(const char *path)
{
    return path && *path && file_exists(path) && !file_is_dir(path) ? xstrdup(path) : NULL;
}

/* A list as SDL_mixer reads it: paths between colons or semicolons. */
static char *first_of_list(const char *list)
{
    if (!list)
        return NULL;
    char *copy = xstrdup(list), *found = NULL;
    for (char *p = strtok(copy, ":;"); p && !found; p = strtok(NULL, ":;"))
        found = existing(p);
    free(copy);
    return found;
}

static char *fluid_default(void)
{
    hush_libraries();
    fluid_settings_t *settings = new_fluid_settings();
    char *path = NULL;
    if (settings)
        fluid_settings_dupstr(settings, "synth.default-soundfont", &path);
    char *found = existing(path);
    fluid_free(path);
    delete_fluid_settings(settings);
    return found;
}

static enum err keep_first(void *ctx, const char *path)
{
    char **found = ctx;
    const char *ext = path_ext(path);
    if (!*found && (str_same(ext, ".sf2") || str_same(ext, ".sf3")))
        *found = xstrdup(path);
    return *found ? ERR_CANCELLED : ERR_OK; /* enough seen */
}

static char *first_in_dir(char *owned_dir)
{
    char *found = NULL;
    if (owned_dir && file_is_dir(owned_dir) && file_walk(owned_dir, keep_first, &found) != ERR_OK && !found)
        log_debug("%s: %s", owned_dir, err_text());
    free(owned_dir);
    return found;
}

static char *in_data_home(void)
{
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    char *base = data && *data ? xstrdup(data) : home && *home ? path_join(home, ".local/share") : NULL;
    char *found = NULL;
    if (base) {
        found = first_in_dir(path_join(base, "soundfonts"));
        if (!found)
            found = first_in_dir(path_join(base, "sounds/sf2"));
    }
    free(base);
    return found;
}

static char *in_usual_places(void)
{
    char *found = NULL;
    for (size_t i = 0; i < COUNT_OF(usual) && !found; i++)
        found = existing(usual[i]);
    if (!found)
        found = in_data_home();
    if (!found)
        found = first_in_dir(place_beside_program("share/jamroll/soundfonts"));
    if (!found)
        found = first_in_dir(place_beside_program("soundfonts"));
    return found ? found : first_in_dir(xstrdup("soundfonts"));
}

char *soundfont_find(const char *asked)
{
    const char *env = getenv("JAMROLL_SOUNDFONT");
    if ((!asked || !*asked) && env && *env)
        asked = env;
    if (asked && *asked)
        return str_same(asked, "builtin") ? NULL : xstrdup(asked);
    char *found = first_of_list(getenv("SDL_SOUNDFONTS"));
    if (!found)
        found = fluid_default();
    return found ? found : in_usual_places();
}
