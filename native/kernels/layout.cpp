#include <string.h>

#include "tars/kernels.h"

namespace tars {

namespace {
constexpr WeightTypeInfo kTypes[] = {
    {"f32", 4, 0, 0, 0, false},      {"f16", 2, 0, 0, 0, false},     {"bf16", 2, 0, 0, 0, false},
    {"q4_0", 0, 64, 256, 8, false},  {"q4_1", 0, 128, 256, 0, true}, {"q8_0", 0, 64, 512, 128, false},
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
  return (numCols + 63) / 64 * info.headerBytes + numCols / kBlockColumns * info.blockCodeBytes;
}

}  // namespace tars
