// Products with f32, f16 and bf16 weights: one chain of fused multiply-adds per output, in column order.
#pragma once

#include "tars/kernels.h"

namespace tars {
namespace TARS_ISA {

// sums[t][g] = sum over k of rows[t * rowStride + k] * weight(k, g), stored as [G, T, 16] with `groupStride` floats between
// groups and `tokenStride` between tokens. The one loop behind float products, attention scores and attention values.
template <int T, int G, class Weight>
[[gnu::always_inline]] inline void addColumns(const float* rows, size_t rowStride, size_t numCols, Weight weight, float* out,
                                              size_t tokenStride, size_t groupStride) {
  F32 sums[T][G];
#pragma GCC unroll 16
  for (int t = 0; t < T; t++) {
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) sums[t][g] = splat(0.0f);
  }
  for (size_t k = 0; k < numCols; k++) {
    F32 w[G];
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) w[g] = weight(k, g);
#pragma GCC unroll 16
    for (int t = 0; t < T; t++) {
      const F32 x = splat(rows[t * rowStride + k]);
#pragma GCC unroll 4
      for (int g = 0; g < G; g++) sums[t][g] = fmadd(x, w[g], sums[t][g]);
    }
  }
#pragma GCC unroll 16
  for (int t = 0; t < T; t++) {
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) store(out + t * tokenStride + g * groupStride, sums[t][g]);
  }
}

// The same for a number of rows known only at run time (at most T).
template <int G, class Weight, int T = kFloatPanelRows>
inline void addColumnsOf(size_t count, const float* rows, size_t rowStride, size_t numCols, Weight weight, float* out,
                         size_t tokenStride, size_t groupStride) {
  if (count == T) return addColumns<T, G>(rows, rowStride, numCols, weight, out, tokenStride, groupStride);
  if constexpr (T > 1) addColumnsOf<G, Weight, T - 1>(count, rows, rowStride, numCols, weight, out, tokenStride, groupStride);
}

constexpr size_t kFloatPrefetchColumns = 32;  // weights are requested this far ahead, as in matmul_quantised.h

struct FloatWeights {
  const uint8_t* weights;
  size_t stride;
  F32 operator()(size_t k, int g) const {
    const float* column = reinterpret_cast<const float*>(weights + g * stride) + k * kGroupRows;
    __builtin_prefetch(column + kFloatPrefetchColumns * kGroupRows);
    return load(column);
  }
};
struct HalfWeights {
  const uint8_t* weights;
  size_t stride;
  F32 operator()(size_t k, int g) const {
    const uint16_t* column = reinterpret_cast<const uint16_t*>(weights + g * stride) + k * kGroupRows;
    __builtin_prefetch(column + kFloatPrefetchColumns * kGroupRows);
    return loadHalf(column);
  }
};
struct BfloatWeights {
  const uint8_t* weights;
  size_t stride;
  F32 operator()(size_t k, int g) const {
    const uint16_t* column = reinterpret_cast<const uint16_t*>(weights + g * stride) + k * kGroupRows;
    __builtin_prefetch(column + kFloatPrefetchColumns * kGroupRows);
    return loadBfloat(column);
  }
};

template <class Weight>
inline void multiplyFloatPanel(const MatMulTask& task, Weight weight, size_t numGroups, const float* rows, size_t count, float* tile) {
  const size_t groupStride = count * kGroupRows;
  if (numGroups == kGroupsPerPass) {
    return addColumnsOf<kGroupsPerPass>(count, rows, task.numCols, task.numCols, weight, tile, kGroupRows, groupStride);
  }
  for (size_t g = 0; g < numGroups; g++) {
    const Weight shifted = {weight.weights + g * weight.stride, weight.stride};
    addColumnsOf<1>(count, rows, task.numCols, task.numCols, shifted, tile + g * groupStride, kGroupRows, groupStride);
  }
}

inline void multiplyFloat(const MatMulTask& task, size_t firstGroup, size_t numGroups, size_t firstPanel, size_t endPanel) {
  const size_t stride = groupBytes(task.type, task.numCols);
  const uint8_t* weights = task.weights + firstGroup * stride;
  const size_t panels = numPanels(task.numTokens, kFloatPanelRows);
  alignas(64) float tile[2 * kFloatPanelRows * kGroupRows];
  for (size_t p = firstPanel; p < endPanel; p++) {
    const size_t token = panelBegin(p, panels, task.numTokens);
    const size_t count = panelBegin(p + 1, panels, task.numTokens) - token;
    const float* rows = task.activations + token * task.numCols;
    if (task.type == WeightType::kF32) multiplyFloatPanel(task, FloatWeights{weights, stride}, numGroups, rows, count, tile);
    if (task.type == WeightType::kF16) multiplyFloatPanel(task, HalfWeights{weights, stride}, numGroups, rows, count, tile);
    if (task.type == WeightType::kBf16) multiplyFloatPanel(task, BfloatWeights{weights, stride}, numGroups, rows, count, tile);
    finishTile(task, tile, token, count, firstGroup, numGroups);
  }
}

}  // namespace TARS_ISA
}  // namespace tars
