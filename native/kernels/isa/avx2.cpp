#include "../simd/avx2.h"

#include "../table.h"
