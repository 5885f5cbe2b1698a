#include "../simd/neon.h"

#include "../table.h"
