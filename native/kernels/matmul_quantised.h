// Products with quantised weights: exact integer dot products per block of 32 columns, scaled and added in single precision.
// Every output is one chain of additions in block order, whatever the number of tokens or groups of a pass, so a token's
// result does not depend on its batch.
#pragma once

#include "tars/kernels.h"

namespace tars {
namespace TARS_ISA {

// How far ahead weights are requested. With 4 tokens a pass reads 12 GB/s without it and 22 with it (Zen 5, one core): the dot
// products fill the reorder window, so that few loads are in flight. Distances from 1 to 4 KiB measure alike.
constexpr size_t kPrefetchBytes = 2304;

struct NibbleCodec {
  static constexpr size_t kHeaderBytes = 64, kBlockBytes = 256;
  static constexpr bool kHasMin = false, kIsNibble = true;
};
struct NibbleMinCodec {
  static constexpr size_t kHeaderBytes = 128, kBlockBytes = 256;
  static constexpr bool kHasMin = true, kIsNibble = true;
};
struct ByteCodec {
  static constexpr size_t kHeaderBytes = 64, kBlockBytes = 512;
  static constexpr bool kHasMin = false, kIsNibble = false;
};

// One block of 32 columns: T tokens of the panel with G groups.
template <class Codec, int T, int G>
[[gnu::always_inline]] inline void addBlock(const uint8_t* const (&tiles)[G], size_t half, const uint8_t* panel, F32 (&sums)[T][G]) {
  const int8_t* quads = reinterpret_cast<const int8_t*>(panel);
  const float* scales = reinterpret_cast<const float*>(panel + T * kBlockColumns);
  const uint8_t* starts = panel + T * (kBlockColumns + 4);
  I32 dots[T][G];
#pragma GCC unroll 16
  for (int t = 0; t < T; t++) {
    int32_t start = 0;
    if (!Codec::kHasMin) __builtin_memcpy(&start, starts + 4 * t, 4);
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) dots[t][g] = splatInt(start);
  }
#pragma GCC unroll 8
  for (int j = 0; j < static_cast<int>(Codec::kBlockBytes / 64); j++) {
    Codes codes[G];
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) {
      const uint8_t* place = tiles[g] + Codec::kHeaderBytes + half * Codec::kBlockBytes + 64 * j;
      codes[g] = loadCodes(place);
      __builtin_prefetch(place + kPrefetchBytes);
    }
#pragma GCC unroll 16
    for (int t = 0; t < T; t++) {
      const Quad quad = splatQuad(quads + t * kBlockColumns + 4 * j);
#pragma GCC unroll 4
      for (int g = 0; g < G; g++) {
        dots[t][g] = Codec::kIsNibble ? dotNibbles(dots[t][g], lowNibbles(codes[g]), quad) : dotBytes(dots[t][g], codes[g], quad);
      }
    }
    if (Codec::kIsNibble) {
#pragma GCC unroll 16
      for (int t = 0; t < T; t++) {
        const Quad quad = splatQuad(quads + t * kBlockColumns + 16 + 4 * j);
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) dots[t][g] = dotNibbles(dots[t][g], highNibbles(codes[g]), quad);
      }
    }
  }
#pragma GCC unroll 4
  for (int g = 0; g < G; g++) {
    const uint16_t* header = reinterpret_cast<const uint16_t*>(tiles[g]) + half * kGroupRows;
    const F32 scale = loadHalf(header);
#pragma GCC unroll 16
    for (int t = 0; t < T; t++) sums[t][g] = fmadd(toFloat(dots[t][g]), mul(scale, splat(scales[t])), sums[t][g]);
    if (Codec::kHasMin) {
      const F32 min = loadHalf(header + 2 * kGroupRows);
      const float* factors = reinterpret_cast<const float*>(starts);
#pragma GCC unroll 16
      for (int t = 0; t < T; t++) sums[t][g] = fmadd(min, splat(factors[t]), sums[t][g]);
    }
  }
}

// Whole rows: `tile` receives [G, T, 16] sums.
template <class Codec, int T, int G>
void multiplyPass(const uint8_t* weights, size_t groupStride, const uint8_t* panel, size_t numBlocks, float* tile) {
  F32 sums[T][G];
  const uint8_t* tiles[G];
#pragma GCC unroll 4
  for (int g = 0; g < G; g++) {
    tiles[g] = weights + g * groupStride;
#pragma GCC unroll 16
    for (int t = 0; t < T; t++) sums[t][g] = splat(0.0f);
  }
  constexpr size_t kPanelBytes = T * kPanelBlockBytes;
  for (size_t block = 0; block + 1 < numBlocks; block += 2, panel += 2 * kPanelBytes) {
    addBlock<Codec, T, G>(tiles, 0, panel, sums);
    addBlock<Codec, T, G>(tiles, 1, panel + kPanelBytes, sums);
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) tiles[g] += Codec::kHeaderBytes + 2 * Codec::kBlockBytes;
  }
  if (numBlocks % 2 != 0) addBlock<Codec, T, G>(tiles, 0, panel, sums);
#pragma GCC unroll 4
  for (int g = 0; g < G; g++) {
#pragma GCC unroll 16
    for (int t = 0; t < T; t++) store(tile + (g * T + t) * kGroupRows, sums[t][g]);
  }
}

using PassFunction = void (*)(const uint8_t*, size_t, const uint8_t*, size_t, float*);

// The pass for a number of tokens known only at run time.
template <class Codec, int G, int T = kPanelRows>
inline PassFunction passFor(size_t count) {
  if (count == T) return multiplyPass<Codec, T, G>;
  if constexpr (T > 1) return passFor<Codec, G, T - 1>(count);
  return nullptr;
}

template <class Codec>
inline void multiplyPanel(const MatMulTask& task, const uint8_t* weights, size_t stride, size_t numGroups, const uint8_t* panel,
                          size_t count, float* tile) {
  const size_t numBlocks = task.numCols / kBlockColumns;
  if (numGroups == kGroupsPerPass) return passFor<Codec, kGroupsPerPass>(count)(weights, stride, panel, numBlocks, tile);
  for (size_t g = 0; g < numGroups; g++) {
    passFor<Codec, 1>(count)(weights + g * stride, stride, panel, numBlocks, tile + g * count * kGroupRows);
  }
}

// Adds the planes of each token: [numGroups, count * 2, 16] becomes [numGroups, count, 16] at the start of `tile`.
inline void addPlanes(float* tile, size_t numGroups, size_t count) {
  for (size_t row = 0; row < numGroups * count; row++) {
    store(tile + row * kGroupRows, add(load(tile + 2 * row * kGroupRows), load(tile + (2 * row + 1) * kGroupRows)));
  }
}

inline void multiplyQuantised(const MatMulTask& task, size_t firstGroup, size_t numGroups, size_t firstPanel, size_t endPanel) {
  const size_t stride = groupBytes(task.type, task.numCols);
  const uint8_t* weights = task.weights + firstGroup * stride;
  const size_t tokenBytes = task.numPlanes * (task.numCols / kBlockColumns) * kPanelBlockBytes;
  const size_t panels = numPanels(task.numTokens, panelTokens(kPanelRows, task.numPlanes));
  alignas(64) float tile[2 * kPanelRows * kGroupRows];
  for (size_t p = firstPanel; p < endPanel; p++) {
    const size_t token = panelBegin(p, panels, task.numTokens);
    const size_t count = panelBegin(p + 1, panels, task.numTokens) - token;
    const size_t rows = count * task.numPlanes;
    const uint8_t* panel = task.panels + token * tokenBytes;
    if (task.type == WeightType::kQ4_0) multiplyPanel<NibbleCodec>(task, weights, stride, numGroups, panel, rows, tile);
    if (task.type == WeightType::kQ4_1) multiplyPanel<NibbleMinCodec>(task, weights, stride, numGroups, panel, rows, tile);
    if (task.type == WeightType::kQ8_0) multiplyPanel<ByteCodec>(task, weights, stride, numGroups, panel, rows, tile);
    if (task.numPlanes == 2) addPlanes(tile, numGroups, count);
    finishTile(task, tile, token, count, firstGroup, numGroups);
  }
}

}  // namespace TARS_ISA
}  // namespace tars
