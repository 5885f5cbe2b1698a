#include "../simd/avx512.h"

#include "../table.h"
