#include <string.h>

#include "tars/kernels.h"

namespace tars {

namespace {
constexpr WeightTypeInfo kTypes[] = {
    {"f32", 4, 0, 0, 0, 0, 0, false, false},
    {"f16", 2, 0, 0, 0, 0, 0, false, false},
    {"bf16", 2, 0, 0, 0, 0, 0, false, false},
    {"q4_0", 0, 64, 64, 256, 4, 8, false, false},
    {"q4_1", 0, 64, 128, 256, 4, 0, true, false},
    {"q8_0", 0, 64, 64, 512, 8, 128, false, false},
    {"q5_0", 0, 64, 64, 320, 5, 16, false, false},
    {"q5_1", 0, 64, 128, 320, 5, 0, true, false},
    {"q4_k", 0, 256, 320, 256, 4, 0, true, false},
    {"q5_k", 0, 256, 320, 320, 5, 0, true, false},
    {"q6_k", 0, 256, 320, 384, 6, 32, false, true},
};
}  // namespace

const WeightTypeInfo& weightTypeInfo(WeightType type) { return kTypes[static_cast<size_t>(type)]; }

bool parseWeightType(const char* name, WeightType* type) {
  for (size_t i = 0; i < sizeof(kTypes) / sizeof(kTypes[0]); i++) {
    if (strcmp(kTypes[i].name, name) == 0) {
      *type = static_cast<WeightType>(i);
      return true;
    }
  }
  return false;
}

size_t groupBytes(WeightType type, size_t numCols) {
  const WeightTypeInfo& info = weightTypeInfo(type);
  if (info.elementBytes > 0) return (numCols * info.elementBytes * kGroupRows + 63) / 64 * 64;
  return (numCols + info.tileColumns - 1) / info.tileColumns * info.headerBytes + numCols / kBlockColumns * info.blockCodeBytes;
}

}  // namespace tars
