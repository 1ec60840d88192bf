#pragma once

#include <stdbool.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/// What the processor and the operating system together allow. All false where the architecture is not x86-64.
typedef struct {
    bool avx2;
    bool fma;
    bool f16c;
    bool movbe;
    bool bmi1;
    bool bmi2;
    bool lzcnt;
    bool avx512f;
    bool avx512bw;
    bool avx512cd;
    bool avx512dq;
    bool avx512vl;
    bool avx512bf16;
    bool avx512vnni;
    /// Whether Intel made it.
    bool intel;
} __attribute__((swift_name("ProcessorFeatures"))) csimd_processor_features;

/// Asks CPUID, and XGETBV for the registers that the operating system saves (Intel SDM volume 1, 13.5 and 15.2):
/// a feature whose registers are not saved counts as absent.
static inline __attribute__((swift_name("ProcessorFeatures.probe()"))) csimd_processor_features csimd_probe(void) {
    csimd_processor_features features = {0};
#if defined(__x86_64__)
    unsigned int eax, ebx, ecx, edx;
    if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx)) return features;
    features.intel = ebx == signature_INTEL_ebx && ecx == signature_INTEL_ecx && edx == signature_INTEL_edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return features;
    const bool savesExtendedState = (ecx >> 27) & 1;
    const bool avx = (ecx >> 28) & 1;
    const bool fma = (ecx >> 12) & 1;
    const bool f16c = (ecx >> 29) & 1;
    const bool movbe = (ecx >> 22) & 1;
    if (!savesExtendedState || !avx) return features;

    unsigned int stateLow, stateHigh;
    __asm__ volatile("xgetbv" : "=a"(stateLow), "=d"(stateHigh) : "c"(0));
    const unsigned int ymmState = 0x06;  // SSE and AVX
    const unsigned int zmmState = 0xe6;  // and opmask, upper halves of zmm0-15, zmm16-31
    if ((stateLow & ymmState) != ymmState) return features;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return features;
    const unsigned int deepestSubleaf = eax;
    features.fma = fma;
    features.f16c = f16c;
    features.movbe = movbe;
    features.bmi1 = (ebx >> 3) & 1;
    features.bmi2 = (ebx >> 8) & 1;
    features.avx2 = (ebx >> 5) & 1;
    unsigned int extended[4];
    if (__get_cpuid(0x80000001, &extended[0], &extended[1], &extended[2], &extended[3])) {
        features.lzcnt = (extended[2] >> 5) & 1;
    }
    if ((stateLow & zmmState) != zmmState) return features;
    features.avx512f = (ebx >> 16) & 1;
    features.avx512dq = (ebx >> 17) & 1;
    features.avx512cd = (ebx >> 28) & 1;
    features.avx512bw = (ebx >> 30) & 1;
    features.avx512vl = (ebx >> 31) & 1;
    features.avx512vnni = (ecx >> 11) & 1;
    if (deepestSubleaf >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) {
        features.avx512bf16 = (eax >> 5) & 1;
    }
#endif
    return features;
}
