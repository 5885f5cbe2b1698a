// What happens to sums of products before they are stored: bias, residual, gate.
#pragma once

#include "tars/kernels.h"

namespace tars {
namespace TARS_ISA {

inline F32 applyActivation(Activation activation, F32 x) {
  switch (activation) {
    case Activation::kSilu: return silu(x);
    case Activation::kGeluTanh: return geluTanh(x);
    case Activation::kNone: return x;
  }
  return x;
}

inline void finishGated(const MatMulTask& task, const float* tile, size_t firstToken, size_t count, size_t firstGroup) {
  const size_t row = firstGroup / 2 * kGroupRows;
  const size_t width = task.numRows - row < kGroupRows ? task.numRows - row : kGroupRows;
  for (size_t t = 0; t < count; t++) {
    const F32 gate = load(tile + t * kGroupRows), up = load(tile + (count + t) * kGroupRows);
    storePartial(task.output + (firstToken + t) * task.numRows + row, mul(applyActivation(task.activation, gate), up), width);
  }
}

inline void finishPlain(const MatMulTask& task, const float* tile, size_t firstToken, size_t count, size_t group) {
  const size_t row = group * kGroupRows;
  const size_t width = task.numRows - row < kGroupRows ? task.numRows - row : kGroupRows;
  for (size_t t = 0; t < count; t++) {
    const size_t place = (firstToken + t) * task.numRows + row;
    F32 value = load(tile + t * kGroupRows);
    if (task.bias != nullptr) value = add(value, loadPartial(task.bias + row, width));
    if (task.residual != nullptr) value = add(value, loadPartial(task.residual + place, width));
    storePartial(task.output + place, value, width);
  }
}

// `tile` is [numGroups, count, 16].
inline void finishTile(const MatMulTask& task, const float* tile, size_t firstToken, size_t count, size_t firstGroup, size_t numGroups) {
  if (task.isGated) return finishGated(task, tile, firstToken, count, firstGroup);
  for (size_t g = 0; g < numGroups; g++) finishPlain(task, tile + g * count * kGroupRows, firstToken, count, firstGroup + g);
}

}  // namespace TARS_ISA
}  // namespace tars
