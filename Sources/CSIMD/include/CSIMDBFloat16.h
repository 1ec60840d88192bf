#pragma once

#include "CSIMDVector.h"

/// bfloat16 values come in pairs: a lane of 32 bits holds one in its low half and one in its high half. Vectors of pairs
/// are carried as vectors of floats, which no load, store or shuffle changes.

typedef uint32_t csimd_bits16 __attribute__((ext_vector_type(16)));
typedef uint16_t csimd_halves32 __attribute__((ext_vector_type(32)));

/// sum + a.high * b.high + a.low * b.low in every lane, in this order, each sum rounded once to nearest even. For normal
/// values all instruction sets agree bit for bit: a product of two bfloat16 values is exact in single precision, so
/// that a separate multiplication rounds nothing. (VDPBF16PS takes denormals for zero.)
CSIMD_INLINE("addPairProducts(_:_:to:)")
csimd_float16 csimd_add_pair_products(csimd_float16 a, csimd_float16 b, csimd_float16 sum) {
#if defined(__AVX512BF16__)
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
#else
    const csimd_bits16 high = 0xffff0000u;
    const csimd_float16 high_a = (csimd_float16)((csimd_bits16)a & high);
    const csimd_float16 high_b = (csimd_float16)((csimd_bits16)b & high);
    const csimd_float16 low_a = (csimd_float16)((csimd_bits16)a << 16);
    const csimd_float16 low_b = (csimd_float16)((csimd_bits16)b << 16);
#if defined(__FMA__) || defined(__aarch64__)
    return __builtin_elementwise_fma(low_a, low_b, __builtin_elementwise_fma(high_a, high_b, sum));
#else
    const csimd_float16 first = high_a * high_b + sum;
    return low_a * low_b + first;
#endif
#endif
}

#if defined(__AVX512DQ__) && !defined(__AVX512BF16__)
/// The bits of every lane rounded to bfloat16, as the macro below describes, in fewer steps: what is not a number and
/// denormals, which are rare, are mended apart.
static inline __attribute__((always_inline)) csimd_bits16 csimd_rounded_to_bfloat16(csimd_float16 x) {
    const __m512i bits = (__m512i)x;
    const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
    const __m512i raised = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
    const __m512i even = _mm512_mask_add_epi32(raised, odd, raised, _mm512_set1_epi32(1));
    csimd_bits16 rounded = (csimd_bits16)even >> 16;
    enum { denormal = 0x20, not_a_number = 0x81 };
    if (__builtin_expect(_mm512_fpclass_ps_mask(x, denormal | not_a_number), 0)) {
        const __mmask16 is_nan = _mm512_fpclass_ps_mask(x, not_a_number);
        const __mmask16 is_denormal = _mm512_fpclass_ps_mask(x, denormal);
        const csimd_bits16 upper = (csimd_bits16)bits >> 16;
        rounded = (csimd_bits16)_mm512_mask_mov_epi32((__m512i)rounded, is_nan, (__m512i)(upper | 0x40u));
        rounded = (csimd_bits16)_mm512_mask_mov_epi32((__m512i)rounded, is_denormal, (__m512i)(upper & 0x8000u));
    }
    return rounded;
}
#define CSIMD_ROUNDED_TO_BFLOAT16(x) csimd_rounded_to_bfloat16(x)
#elif !defined(__AVX512BF16__)
/// The bits of every lane rounded to bfloat16, nearest even, in the low half of the lane; denormals become zeros of their
/// sign, and what is not a number stays so: what VCVTNEPS2BF16 does. (A macro, since a vector argument would need a
/// calling convention that the baseline lacks.)
#define CSIMD_ROUNDED_TO_BFLOAT16(x) ({ \
    const csimd_bits16 bits = (csimd_bits16)(x); \
    const csimd_bits16 magnitude = bits & 0x7fffffffu; \
    const csimd_bits16 upper = bits >> 16; \
    const csimd_bits16 is_nan = (csimd_bits16)(magnitude > 0x7f800000u); \
    const csimd_bits16 is_denormal = (csimd_bits16)(magnitude < 0x00800000u); \
    const csimd_bits16 rounded = (bits + 0x7fffu + (upper & 1u)) >> 16; \
    (is_nan & (upper | 0x40u)) | (is_denormal & upper & 0x8000u) | (~(is_nan | is_denormal) & rounded); \
})
#endif

/// Thirty-two consecutive values as sixteen pairs: value 2i in the low half of lane i, 2i + 1 in the high half.
CSIMD_INLINE("pairsOfNeighbours(_:_:)")
csimd_float16 csimd_pairs_of_neighbours(csimd_float16 first, csimd_float16 second) {
#if defined(__AVX512BF16__)
    return (csimd_float16)_mm512_cvtne2ps_pbh(second, first);
#else
    const csimd_bits16 left = CSIMD_ROUNDED_TO_BFLOAT16(first);
    const csimd_bits16 right = CSIMD_ROUNDED_TO_BFLOAT16(second);
    const csimd_bits16 low = __builtin_shufflevector(
        left, right, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const csimd_bits16 high = __builtin_shufflevector(
        left, right, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return (csimd_float16)(low | high << 16);
#endif
}

#if !defined(__AVX512BF16__)
/// Values rounded to bfloat16, as floats, every two neighbours exchanged.
CSIMD_INLINE("roundedNeighbours(_:)") csimd_float16 csimd_rounded_neighbours(csimd_float16 x) {
    const csimd_float16 rounded = (csimd_float16)(CSIMD_ROUNDED_TO_BFLOAT16(x) << 16);
    return __builtin_shufflevector(rounded, rounded, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}
#endif

/// Two rows as pairs: lane i of `low` in the low half of lane i, that of `high` in the high half.
CSIMD_INLINE("pairsOfRows(low:high:)") csimd_float16 csimd_pairs_of_rows(csimd_float16 low, csimd_float16 high) {
#if defined(__AVX512BF16__)
    const csimd_halves32 both = (csimd_halves32)_mm512_cvtne2ps_pbh(high, low);
    return (csimd_float16)__builtin_shufflevector(
        both, both, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
        29, 14, 30, 15, 31);
#else
    return (csimd_float16)(CSIMD_ROUNDED_TO_BFLOAT16(low) | CSIMD_ROUNDED_TO_BFLOAT16(high) << 16);
#endif
}

/// The low values of pairs, as floats.
CSIMD_INLINE("lowValues(_:)") csimd_float16 csimd_low_values(csimd_float16 pairs) {
    return (csimd_float16)((csimd_bits16)pairs << 16);
}

/// The high values of pairs, as floats.
CSIMD_INLINE("highValues(_:)") csimd_float16 csimd_high_values(csimd_float16 pairs) {
    return (csimd_float16)((csimd_bits16)pairs & 0xffff0000u);
}
