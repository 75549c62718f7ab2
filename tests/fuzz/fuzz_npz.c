/* fuzz_npz.c: libFuzzer entry point for arrays and archives (see fuzz_midi.c for the build line). The first byte
 * says which reader gets the rest: an array by itself, or a whole archive. */
#include "npz.h"
#include "song.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct npy a;
    struct song *s;

    if (size == 0)
        return 0;
    if (data[0] & 1) {
        if (npy_read(data + 1, size - 1, "fuzz", &a) == ERR_OK)
            npy_fini(&a);
    } else if (npz_parse_song(data + 1, size - 1, "fuzz", &s) == ERR_OK) {
        song_free(s);
    }
    return 0;
}
