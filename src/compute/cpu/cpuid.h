/* cpuid.h: the instruction set the kernels use: the best one that processor and operating system support,
 * unless the environment variable JAMROLL_ISA (avx512, avx2, generic) asks for a lesser one. Decided once. */
#pragma once

enum isa { ISA_GENERIC, ISA_AVX2, ISA_AVX512, ISA_COUNT };

enum isa cpu_isa(void);           /* the one in use */
enum isa cpu_isa_supported(void); /* the best this machine has */
const char *isa_name(enum isa isa);
