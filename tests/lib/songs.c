/* songs.c: see songs.h. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "file.h"
#include "midi.h"
#include "songs.h"

void songs_same_notes(const struct track *a, const struct track *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(a->notes[i].tick, b->notes[i].tick);
        assert_int_equal(a->notes[i].dur, b->notes[i].dur);
        assert_int_equal(a->notes[i].pitch, b->notes[i].pitch);
        assert_int_equal(a->notes[i].vel, b->notes[i].vel);
    }
}

void songs_save(struct song *s, const char *folder, const char *dir, const char *name)
{
    char *at = path_join(folder, dir), *path = path_join(at, name);
    assert_int_equal(file_mkdirs(at), ERR_OK);
    assert_int_equal(midi_save(s, NULL, path), ERR_OK);
    free(path);
    free(at);
    song_free(s);
}

struct dataset *songs_data(const char *folder, const struct dataset_opts *o, const char *path)
{
    struct str report;
    struct dataset *d;
    str_init(&report);
    assert_int_equal(dataset_build(&folder, 1, o, path, &report), ERR_OK);
    str_fini(&report);
    assert_int_equal(dataset_open(path, &d), ERR_OK);
    return d;
}
