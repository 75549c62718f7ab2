/* hashed.c: see hashed.h. */
#include "hashed.h"
#include <stdint.h>
#include "mem.h"

float *hashed(const char *name, size_t n)
{
    uint32_t seed = 2166136261u;
    float *out = xmalloc(n * sizeof *out);
    for (; *name; name++)
        seed = (seed ^ (uint8_t)*name) * 16777619u;
    for (size_t i = 0; i < n; i++) {
        uint32_t h = (uint32_t)i * 2654435761u + seed;
        h = (h ^ h >> 16) * 2246822519u;
        h = (h ^ h >> 13) * 3266489917u;
        h ^= h >> 16;
        out[i] = (float)((double)(h >> 8) / 8388608.0 - 1);
    }
    return out;
}
