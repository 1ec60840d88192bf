#include <jemalloc/jemalloc.h>

// The function-like macros of jemalloc.h, which the Swift importer does not see.

static inline int jemalloc_arena_flags(unsigned arena) {
    return MALLOCX_ARENA(arena) | MALLOCX_TCACHE_NONE;
}

static inline int jemalloc_alignment_flags(unsigned logarithm) {
    return MALLOCX_LG_ALIGN(logarithm);
}

static const int jemalloc_zero_flag = MALLOCX_ZERO;
static const int jemalloc_no_thread_cache_flag = MALLOCX_TCACHE_NONE;
