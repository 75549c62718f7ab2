/* export.c: see export.h. Rolls and pictures are made of the band's five tracks: that is what their rows and
 * colours stand for. */
#include "export.h"

#include "midi.h"
#include "npz.h"
#include "role.h"
#include "roll.h"
#include "song.h"
#include "str.h"
#include "xml.h"

struct export_kind {
    const char *name, *ext;
    enum err (*save)(const struct song *s, const struct export_opts *o, const char *path);
    bool of_band;
};

static enum err save_midi(const struct song *s, const struct export_opts *o, const char *path)
{
    return midi_save(s, &(struct midi_write_opts){.format = o->midi_format}, path);
}

static enum err save_npz(const struct song *s, const struct export_opts *o, const char *path)
{
    return npz_save_song(s, o->beat_steps, path);
}

static enum err save_npy(const struct song *s, const struct export_opts *o, const char *path)
{
    struct roll roll = {0};
    enum err err = roll_sample(s, o->beat_steps, 0, 128, &roll);
    if (err == ERR_OK)
        err = npy_save_roll(&roll, path);
    roll_fini(&roll);
    return err;
}

static enum err save_png(const struct song *s, const struct export_opts *o, const char *path)
{
    return png_save_song(s, &(struct png_opts){o->beat_steps, o->scale, o->overlay}, path);
}

static enum err save_xml(const struct song *s, const struct export_opts *o, const char *path)
{
    (void)o;
    return xml_save(s, path);
}

static const struct export_kind kinds[] = {
    {"mid", ".mid", save_midi, false}, {"mid", ".midi", save_midi, false}, {"npz", ".npz", save_npz, false},
    {"npy", ".npy", save_npy, true},   {"png", ".png", save_png, true},    {"musicxml", ".musicxml", save_xml, false},
};

const struct export_kind *export_kind(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (str_same(name, kinds[i].name) || str_same(name, kinds[i].ext))
            return &kinds[i];
    return NULL;
}

const char *export_kind_name(const struct export_kind *k)
{
    return k->name;
}

enum err export_song(const struct song *s, const struct export_kind *k, const struct export_opts *o, const char *path)
{
    struct song *band = NULL;
    if (k->of_band)
        TRY(role_band(s, &band));
    enum err err = k->save(band ? band : s, o, path);
    song_free(band);
    return err;
}
