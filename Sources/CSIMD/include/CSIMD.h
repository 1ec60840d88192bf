#pragma once

/// Vector operations that Swift's SIMD types lack or lower to scalar code, and the probe of the processor.
///
/// Everything is `static inline`: a target compiled with other instruction-set flags gets code of its own, never
/// another's.

#include "CSIMDProcessor.h"
#include "CSIMDBFloat16.h"
#include "CSIMDVector.h"
