#include "../simd/plain.h"

#include "../table.h"
