/* fuzz_phrases.c: libFuzzer entry point for files of phrases (see fuzz_midi.c for the build line; add -Isrc). Begin with
 * a small file that `jamroll dataset build --phrases` made. */
#include "music/phrase_file.h"
#include "phrase.h"
#include "roll.h"
#include "song.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every name is read, every note is used. */
static unsigned long walk(const struct dataset *d)
{
    unsigned long sum = 0;
    struct roll r;
    if (roll_new(N_ROLES, PHRASE_BARS, PHRASE_BAR_STEPS, 24, 84, &r) != ERR_OK)
        return 0;
    for (size_t i = 0; i < dataset_n(d); i++) {
        struct phrase p = dataset_get(d, i);
        struct song *band = song_new_band();
        sum += (unsigned char)*dataset_genre(d, p.genre) + (unsigned char)*dataset_song(d, p.song) +
               (unsigned char)*dataset_set(d, p.set);
        phrase_to_roll(p.notes, p.n, &r);
        sum += phrase_to_song(p.notes, p.n, band, 0) == ERR_OK ? (unsigned long)song_end(band) : 0;
        song_free(band);
    }
    roll_fini(&r);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dataset *d;
    volatile unsigned long sum = 0;
    if (dataset_parse(data, size, "fuzz", &d) == ERR_OK) {
        sum += walk(d);
        dataset_close(d);
    }
    return 0;
}
