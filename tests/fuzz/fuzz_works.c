/* fuzz_works.c: libFuzzer entry point for works files (see fuzz_midi.c for the build line; add -Isrc). Begin with a
 * small file that `jamroll dataset build --works` made: an empty one hardly gets past the header. */
#include "music/works_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every index that a record holds is followed. */
static unsigned long walk(const struct works *w)
{
    unsigned long sum = 0;
    for (size_t i = 0; i < works_n(w); i++) {
        struct work k = works_get(w, i);
        sum += (unsigned char)*works_name(w, i) + (unsigned char)*works_era(w, k.era) + (unsigned char)*works_set(w, k.set);
        sum += k.composer == WORK_UNKNOWN ? 0 : (unsigned char)*works_composer(w, k.composer);
        BUG_ON(k.group >= works_n_groups(w));
        for (uint32_t m = 0; m < k.n_metres; m++)
            sum += k.metres[m].num;
        for (uint32_t n = 0; n < k.n; n++) {
            struct qmetre bar = work_bar(&k, k.notes[n].start);
            BUG_ON(bar.start > k.notes[n].start || bar.den == 0);
            sum += k.notes[n].pitch;
        }
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct works *w;
    volatile unsigned long sum = 0;
    if (works_parse(data, size, "fuzz", &w) == ERR_OK) {
        sum += walk(w);
        works_free(w);
    }
    return 0;
}
