#pragma once

#include <stdint.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

/// The importer turns these into `SIMD16<Float>` and `SIMD16<Int32>`.
typedef float csimd_float16 __attribute__((ext_vector_type(16)));
typedef float csimd_float8 __attribute__((ext_vector_type(8)));
typedef double csimd_double8 __attribute__((ext_vector_type(8)));
typedef int32_t csimd_int16 __attribute__((ext_vector_type(16)));

#define CSIMD_INLINE(name) static inline __attribute__((always_inline, swift_name(name)))

/// Correctly rounded square root of every lane (Swift's own goes lane by lane).
CSIMD_INLINE("squareRoot(_:)") csimd_float16 csimd_square_root(csimd_float16 x) {
    return __builtin_elementwise_sqrt(x);
}

/// The lanes of `first` where `x <= bound`, else (also where `x` is not a number) those of `second`.
CSIMD_INLINE("select(where:isAtMost:_:otherwise:)")
csimd_float16 csimd_select_at_most(csimd_float16 x, csimd_float16 bound, csimd_float16 first, csimd_float16 second) {
    return x <= bound ? first : second;
}

/// The larger of each lane; `b` where `a` is not a number. One instruction on x86.
CSIMD_INLINE("larger(_:_:)") csimd_float16 csimd_larger(csimd_float16 a, csimd_float16 b) {
    return a > b ? a : b;
}

/// Lanes converted to double precision, exactly.
CSIMD_INLINE("widened(_:)") csimd_double8 csimd_widened(csimd_float8 x) {
    return __builtin_convertvector(x, csimd_double8);
}

/// The first `count` (0...16) floats at `source` in the first lanes, zero in the others; reads nothing beyond.
CSIMD_INLINE("loadPrefix(_:_:)") csimd_float16 csimd_load_prefix(const float *_Nonnull source, intptr_t count) {
#if defined(__AVX512F__)
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), source);
#elif defined(__AVX2__)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lane);
    const __m256i high = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count - 8), lane);
    const csimd_float8 first = _mm256_maskload_ps(source, low);
    const csimd_float8 second = _mm256_maskload_ps(source + 8, high);
    return __builtin_shufflevector(first, second, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
    float lanes[16] = {0};
    for (intptr_t i = 0; i < count; ++i) lanes[i] = source[i];
    csimd_float16 vector;
    __builtin_memcpy(&vector, lanes, sizeof vector);
    return vector;
#endif
}

/// Writes the first `count` (0...16) lanes to `destination` and nothing beyond.
CSIMD_INLINE("storePrefix(_:_:_:)")
void csimd_store_prefix(csimd_float16 vector, float *_Nonnull destination, intptr_t count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(destination, (__mmask16)((1u << count) - 1), vector);
#elif defined(__AVX2__)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i low = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lane);
    const __m256i high = _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count - 8), lane);
    _mm256_maskstore_ps(destination, low, __builtin_shufflevector(vector, vector, 0, 1, 2, 3, 4, 5, 6, 7));
    _mm256_maskstore_ps(destination + 8, high, __builtin_shufflevector(vector, vector, 8, 9, 10, 11, 12, 13, 14, 15));
#else
    float lanes[16];
    __builtin_memcpy(lanes, &vector, sizeof vector);
    for (intptr_t i = 0; i < count; ++i) destination[i] = lanes[i];
#endif
}

/// The same address or number, of which the compiler does not know where it comes from.
CSIMD_INLINE("opaque(_:)") const float *_Nonnull csimd_opaque_address(const float *_Nonnull address) {
    __asm__("" : "+r"(address));
    return address;
}

CSIMD_INLINE("opaque(_:)") intptr_t csimd_opaque_number(intptr_t number) {
    __asm__("" : "+r"(number));
    return number;
}

/// Floats of the room that `withRoom` gives.
enum { CSIMD_ROOM = 65536 };

/// Calls `body` with `context` and room for floats, of any content, that is gone afterwards: 256 KiB of the stack.
CSIMD_INLINE("withRoom(_:_:)")
void csimd_with_room(void *_Nonnull context, void (*_Nonnull body)(void *_Nonnull, float *_Nonnull)) {
    float room[CSIMD_ROOM] __attribute__((aligned(64)));
    body(context, room);
}

/// Asks for the cache line at `address` to be brought into the second-level cache.
CSIMD_INLINE("prefetch(_:)") void csimd_prefetch(const float *_Nonnull address) {
    __builtin_prefetch(address, 0, 2);
}

/// Asks for the cache line at `address` to be brought into the first-level cache.
CSIMD_INLINE("prefetchNearest(_:)") void csimd_prefetch_nearest(const float *_Nonnull address) {
    __builtin_prefetch(address, 0, 3);
}

/// The largest lane; no lane may be other than a number.
CSIMD_INLINE("largestLane(_:)") float csimd_largest_lane(csimd_float16 x) {
    typedef float four __attribute__((ext_vector_type(4)));
    const csimd_float8 eight = x.lo > x.hi ? x.lo : x.hi;
    const four quarter = eight.lo > eight.hi ? eight.lo : eight.hi;
    const float first = quarter.x > quarter.z ? quarter.x : quarter.z;
    const float second = quarter.y > quarter.w ? quarter.y : quarter.w;
    return first > second ? first : second;
}

/// Transposes sixteen rows of sixteen floats: four rounds of interleaving row i with row i + 8.
CSIMD_INLINE("transposeBlock(_:_:_:_:)")
void csimd_transpose_block(
    const float *_Nonnull source, intptr_t source_stride, float *_Nonnull destination, intptr_t destination_stride) {
    csimd_float16 rows[16];
    csimd_float16 mixed[16];
#pragma unroll
    for (int i = 0; i < 16; ++i) __builtin_memcpy(&rows[i], source + i * source_stride, sizeof rows[i]);
#pragma unroll
    for (int round = 0; round < 4; ++round) {
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            mixed[2 * i] = __builtin_shufflevector(
                rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            mixed[2 * i + 1] = __builtin_shufflevector(
                rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
#pragma unroll
        for (int i = 0; i < 16; ++i) rows[i] = mixed[i];
    }
#pragma unroll
    for (int i = 0; i < 16; ++i) __builtin_memcpy(destination + i * destination_stride, &rows[i], sizeof rows[i]);
}
