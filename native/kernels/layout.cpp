#include <string.h>

#include "tars/kernels.h"

namespace tars {

namespace {
constexpr WeightTypeInfo kTypes[] = {
    {"f32", 4, 0, 0, 0, 0, nullptr, 0, FactorKind::kNone},
    {"f16", 2, 0, 0, 0, 0, nullptr, 0, FactorKind::kNone},
    {"bf16", 2, 0, 0, 0, 0, nullptr, 0, FactorKind::kNone},
    {"q4_0", 0, 64, 64, 256, 4, nullptr, 8, FactorKind::kScale},
    {"q4_1", 0, 64, 128, 256, 4, nullptr, 0, FactorKind::kScaleMin},
    {"q8_0", 0, 64, 64, 512, 8, nullptr, 128, FactorKind::kScale},
    {"q5_0", 0, 64, 64, 320, 5, nullptr, 16, FactorKind::kScale},
    {"q5_1", 0, 64, 128, 320, 5, nullptr, 0, FactorKind::kScaleMin},
    {"q4_k", 0, 256, 320, 256, 4, nullptr, 0, FactorKind::kSuperScaleMin},
    {"q5_k", 0, 256, 320, 320, 5, nullptr, 0, FactorKind::kSuperScaleMin},
    {"q6_k", 0, 256, 320, 384, 6, nullptr, 32, FactorKind::kSuperSigned16},
    {"q2_k", 0, 256, 320, 128, 2, nullptr, 0, FactorKind::kSuperNibbles16},
    {"q3_k", 0, 256, 320, 192, 3, nullptr, 4, FactorKind::kSuperSigned16},
    {"iq4_nl", 0, 64, 64, 256, 4, kIq4Table, 128, FactorKind::kScale},
    {"iq4_xs", 0, 256, 192, 256, 4, kIq4Table, 128, FactorKind::kSuperSigned32},
    {"mxfp4", 0, 128, 64, 256, 4, kMxfp4Table, 12, FactorKind::kExponent},
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
