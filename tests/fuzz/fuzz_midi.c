/* fuzz_midi.c: libFuzzer entry point for the MIDI reader:
 *     clang -fsanitize=fuzzer,address,undefined -Iinclude -D_GNU_SOURCE tests/fuzz/fuzz_midi.c \
 *         src/base/... src/music/... -lz -lpng -ljansson -lm -lpthread */
#include <stdlib.h>
#include "midi.h"
#include "song.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct song *s, *again;
    struct midi_report rep;
    uint8_t *bytes;
    size_t n;

    if (midi_read(data, size, "fuzz", &s, &rep) == ERR_OK) {
        if (midi_write(s, NULL, &bytes, &n) == ERR_OK) {
            BUG_ON(midi_read(bytes, n, "again", &again, NULL) != ERR_OK);
            song_free(again);
            free(bytes);
        }
        song_free(s);
    }
    midi_report_fini(&rep);
    return 0;
}
