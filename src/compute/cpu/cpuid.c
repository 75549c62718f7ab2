/* cpuid.c: asks the processor (and, through XGETBV, the operating system) what it can do. Own test, so
 * that an unknown model number never costs a factor: what counts is the flags. */
#include "cpuid.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include "log.h"
#include "str.h"

static const char *const names[ISA_COUNT] = {"generic", "avx2", "avx512"};

const char *isa_name(enum isa isa)
{
    return names[isa];
}

#if defined(__x86_64__)
#include <cpuid.h>

static uint64_t enabled_state(void)
{
    uint32_t lo, hi;
    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (uint64_t)hi << 32 | lo;
}

enum isa cpu_isa_supported(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA))
        return ISA_GENERIC;
    const uint64_t ymm = 0x06, zmm = 0xe6, state = enabled_state();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2) || (state & ymm) != ymm)
        return ISA_GENERIC;
    const unsigned need = bit_AVX512F | bit_AVX512BW | bit_AVX512VL | bit_AVX512DQ;
    return (b & need) == need && (state & zmm) == zmm ? ISA_AVX512 : ISA_AVX2;
}
#else
enum isa cpu_isa_supported(void)
{
    return ISA_GENERIC;
}
#endif

static enum isa chosen;

static void choose(void)
{
    chosen = cpu_isa_supported();
    const char *wish = getenv("JAMROLL_ISA");
    if (!wish || !*wish)
        return;
    for (int i = 0; i < ISA_COUNT; i++)
        if (str_same(wish, names[i])) {
            if (i > (int)chosen)
                log_warn("JAMROLL_ISA=%s: this processor has only %s", wish, names[chosen]);
            else
                chosen = (enum isa)i;
            return;
        }
    log_warn("JAMROLL_ISA=%s is none of generic, avx2, avx512; using %s", wish, names[chosen]);
}

enum isa cpu_isa(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
