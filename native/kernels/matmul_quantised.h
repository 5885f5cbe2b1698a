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

// Into the second-level cache: prefetches into the first compete with the loads for its few buffers of lines under way. One token
// reads q4_0 at 26.5 GB/s and q8_0 at 32.4 instead of 21.7 and 26.4 (Zen 4, 2 cores).
[[gnu::always_inline]] inline void prefetchWeights(const uint8_t* at) { __builtin_prefetch(at, 0, 2); }

template <int N>
struct Index {
  static constexpr int value = N;
};

template <class Function>
[[gnu::always_inline]] inline void forFour(const Function& function) {
  function(Index<0>());
  function(Index<1>());
  function(Index<2>());
  function(Index<3>());
}

enum class CodeKind { kNibbles, kTwoBits, kBytes };

// How codes lie, and how vector J of a half block comes from what was loaded for it. kHighBits beside a nibble, in a plane behind
// the nibbles of a block:
template <int kHighBits>
struct NibbleCodes {
  static constexpr CodeKind kKind = CodeKind::kNibbles;
  static constexpr bool kIsByte = false;
  static constexpr size_t kBlockBytes = 256 + 64 * kHighBits;

  template <int kHalf, int J>
  [[gnu::always_inline]] static Codes read(Codes nibbles, const uint8_t* block) {
    if constexpr (kHighBits == 1) return addBits<16>(nibbles, block + 256 + kHalf * 32 + J * 8);
    if constexpr (kHighBits == 2) return addTwoBits<J>(nibbles, loadCodes(block + 256 + kHalf * 64));
    return nibbles;
  }
};
// Nibbles that name entries of a table; with bytes up to 255 the dot product is that of 8-bit codes.
template <const uint8_t (&kTable)[16], bool kWithBytes>
struct TableCodes {
  static constexpr CodeKind kKind = CodeKind::kNibbles;
  static constexpr bool kIsByte = kWithBytes;
  static constexpr size_t kBlockBytes = 256;

  template <int kHalf, int J>
  [[gnu::always_inline]] static Codes read(Codes nibbles, const uint8_t*) { return lookUp(kTable, nibbles); }
};
// A plane of 2 bits, then perhaps one of a third bit.
template <bool kWithThird>
struct TwoBitCodes {
  static constexpr CodeKind kKind = CodeKind::kTwoBits;
  static constexpr bool kIsByte = false;
  static constexpr size_t kBlockBytes = kWithThird ? 192 : 128;

  template <int kHalf, int J>
  [[gnu::always_inline]] static Codes read(Codes fields, const uint8_t* block) {
    const Codes low = twoBits<J>(fields);
    if constexpr (kWithThird) return addBits<4>(low, block + 128 + kHalf * 32 + J * 8);
    return low;
  }
};
struct ByteCodes {
  static constexpr CodeKind kKind = CodeKind::kBytes;
  static constexpr bool kIsByte = true;
  static constexpr size_t kBlockBytes = 512;
};

// How scales and mins lie. A half each for each block of 32 columns, for the two blocks of a tile:
template <bool kWithMin>
struct BlockFactors {
  static constexpr size_t kHeaderBytes = kWithMin ? 128 : 64, kTileBlocks = 2;
  static constexpr bool kHasMin = kWithMin;
  static constexpr int kSubBlocks = 1, kOffset = 0;

  [[gnu::always_inline]] static F32 scale(const uint8_t* tile, size_t block) {
    return loadHalf(reinterpret_cast<const uint16_t*>(tile) + block * kGroupRows);
  }
  [[gnu::always_inline]] static F32 min(const uint8_t* tile, size_t block) {
    return loadHalf(reinterpret_cast<const uint16_t*>(tile) + (2 + block) * kGroupRows);
  }
};
// Two halves for 256 columns, which a byte for each block multiplies; the second half is the min with its sign turned.
struct SuperFactors {
  static constexpr size_t kHeaderBytes = 320, kTileBlocks = 8;
  static constexpr bool kHasMin = true;
  static constexpr int kSubBlocks = 1, kOffset = 0;

  [[gnu::always_inline]] static F32 scale(const uint8_t* tile, size_t block) {
    return mul(loadHalf(reinterpret_cast<const uint16_t*>(tile)), loadBytes(tile + 64 + block * kGroupRows));
  }
  [[gnu::always_inline]] static F32 min(const uint8_t* tile, size_t block) {
    return mul(loadHalf(reinterpret_cast<const uint16_t*>(tile) + kGroupRows), loadBytes(tile + 64 + (8 + block) * kGroupRows));
  }
};
// One half for 256 columns, which a signed byte for each 16 columns multiplies; codes have an offset.
template <int kCodeOffset>
struct SignedSuperFactors {
  static constexpr size_t kHeaderBytes = 320, kTileBlocks = 8;
  static constexpr bool kHasMin = false;
  static constexpr int kSubBlocks = 2, kOffset = kCodeOffset;

  [[gnu::always_inline]] static F32 scale(const uint8_t* tile, size_t subBlock) {
    return mul(loadHalf(reinterpret_cast<const uint16_t*>(tile)), loadSignedBytes(tile + 64 + subBlock * kGroupRows));
  }
};
// The same with a signed byte for each block.
struct SignedBlockFactors {
  static constexpr size_t kHeaderBytes = 192, kTileBlocks = 8;
  static constexpr bool kHasMin = false;
  static constexpr int kSubBlocks = 1, kOffset = 0;

  [[gnu::always_inline]] static F32 scale(const uint8_t* tile, size_t block) {
    return mul(loadHalf(reinterpret_cast<const uint16_t*>(tile)), loadSignedBytes(tile + 64 + block * kGroupRows));
  }
};
// Two halves for 256 columns, which the nibbles of a byte for each 16 columns multiply; the second is the min, sign turned.
struct NibbleSuperFactors {
  static constexpr size_t kHeaderBytes = 320, kTileBlocks = 8;
  static constexpr bool kHasMin = true;
  static constexpr int kSubBlocks = 2, kOffset = 0;

  [[gnu::always_inline]] static F32 scale(const uint8_t* tile, size_t subBlock) {
    return mul(loadHalf(reinterpret_cast<const uint16_t*>(tile)), loadLowNibbles(tile + 64 + subBlock * kGroupRows));
  }
  [[gnu::always_inline]] static F32 min(const uint8_t* tile, size_t subBlock) {
    return mul(loadHalf(reinterpret_cast<const uint16_t*>(tile) + kGroupRows), loadHighNibbles(tile + 64 + subBlock * kGroupRows));
  }
};
// An exponent for each block of 32 columns.
struct ExponentFactors {
  static constexpr size_t kHeaderBytes = 64, kTileBlocks = 4;
  static constexpr bool kHasMin = false;
  static constexpr int kSubBlocks = 1, kOffset = 0;

  [[gnu::always_inline]] static F32 scale(const uint8_t* tile, size_t block) { return loadHalvedPowers(tile + block * kGroupRows); }
};

template <class CodesLayout, class FactorsLayout>
struct Codec : CodesLayout, FactorsLayout {};

// Adds vector J of a half block to the integer sums, from its nibbles or its half's fields of 2 bits.
template <class Codec, int kHalf, int J, int T, int G>
[[gnu::always_inline]] inline void addCodes(const Codes (&loaded)[G], const uint8_t* const (&blocks)[G], const int8_t* quads, I32 (&dots)[T][G]) {
  Codes codes[G];
#pragma GCC unroll 4
  for (int g = 0; g < G; g++) {
    const Codes low = Codec::kKind != CodeKind::kNibbles ? loaded[g] : kHalf == 0 ? lowNibbles(loaded[g]) : highNibbles(loaded[g]);
    codes[g] = Codec::template read<kHalf, J>(low, blocks[g]);
  }
#pragma GCC unroll 16
  for (int t = 0; t < T; t++) {
    const Quad quad = splatQuad(quads + t * kBlockColumns + 16 * kHalf + 4 * J);
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) {
      dots[t][g] = Codec::kIsByte ? dotBytes(dots[t][g], codes[g], quad) : dotNibbles(dots[t][g], codes[g], quad);
    }
  }
}

template <int T, int G>
[[gnu::always_inline]] inline void addScaled(const I32 (&dots)[T][G], int g, F32 scale, const float* scales, F32 (&sums)[T][G]) {
#pragma GCC unroll 16
  for (int t = 0; t < T; t++) sums[t][g] = fmadd(toFloat(dots[t][g]), mul(scale, splat(scales[t])), sums[t][g]);
}

// Half a block with factors of its own.
template <class Codec, int kHalf, int T, int G>
[[gnu::always_inline]] inline void addSubBlock(const uint8_t* const (&tiles)[G], const uint8_t* const (&blocks)[G], size_t block, const uint8_t* panel, size_t ahead, F32 (&sums)[T][G]) {
  const int8_t* quads = reinterpret_cast<const int8_t*>(panel);
  const float* scales = reinterpret_cast<const float*>(panel + T * kBlockColumns);
  const uint8_t* starts = panel + T * (kBlockColumns + 4);
  const auto sumOfCodes = [&](int t) __attribute__((always_inline)) {
    int16_t sum;
    __builtin_memcpy(&sum, starts + 4 * t + 2 * kHalf, 2);
    return sum;
  };
  I32 dots[T][G];
#pragma GCC unroll 16
  for (int t = 0; t < T; t++) {
    const int32_t start = Codec::kOffset == 0 ? 0 : -Codec::kOffset * sumOfCodes(t);
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) dots[t][g] = splatInt(start);
  }
  constexpr bool kIsNibble = Codec::kKind == CodeKind::kNibbles;
  Codes loaded[G];
  forFour([&](auto j) __attribute__((always_inline)) {
    constexpr int J = decltype(j)::value;
    if (kIsNibble || J == 0) {
      const size_t offset = 64 * (kIsNibble ? J : kHalf);
#pragma GCC unroll 4
      for (int g = 0; g < G; g++) {
        loaded[g] = loadCodes(blocks[g] + offset);
        if (!kIsNibble || kHalf == 0) prefetchWeights(blocks[g] + offset + ahead);
      }
    }
    addCodes<Codec, kHalf, J, T, G>(loaded, blocks, quads, dots);
  });
#pragma GCC unroll 4
  for (int g = 0; g < G; g++) {
    addScaled<T, G>(dots, g, Codec::scale(tiles[g], 2 * block + kHalf), scales, sums);
    if constexpr (Codec::kHasMin) {
      const F32 min = Codec::min(tiles[g], 2 * block + kHalf);
#pragma GCC unroll 16
      for (int t = 0; t < T; t++) sums[t][g] = fmadd(min, splat(scales[t] * static_cast<float>(sumOfCodes(t))), sums[t][g]);
    }
  }
}

// One block of 32 columns: T tokens of the panel with G groups. Weights `ahead` bytes further on are requested.
template <class Codec, int T, int G>
[[gnu::always_inline]] inline void addBlock(const uint8_t* const (&tiles)[G], size_t block, const uint8_t* panel, size_t ahead, F32 (&sums)[T][G]) {
  const uint8_t* blocks[G];
#pragma GCC unroll 4
  for (int g = 0; g < G; g++) blocks[g] = tiles[g] + Codec::kHeaderBytes + block * Codec::kBlockBytes;
  if constexpr (Codec::kSubBlocks == 2) {
    addSubBlock<Codec, 0, T, G>(tiles, blocks, block, panel, ahead, sums);
    addSubBlock<Codec, 1, T, G>(tiles, blocks, block, panel, ahead, sums);
  } else {
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
    if constexpr (Codec::kKind == CodeKind::kNibbles) {
      forFour([&](auto j) __attribute__((always_inline)) {
        constexpr int J = decltype(j)::value;
        Codes nibbles[G];
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) {
          nibbles[g] = loadCodes(blocks[g] + 64 * J);
          prefetchWeights(blocks[g] + 64 * J + ahead);
        }
        addCodes<Codec, 0, J, T, G>(nibbles, blocks, quads, dots);
        addCodes<Codec, 1, J, T, G>(nibbles, blocks, quads, dots);
      });
    } else {
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) {
        Codes codes[G];
#pragma GCC unroll 4
        for (int g = 0; g < G; g++) {
          codes[g] = loadCodes(blocks[g] + 64 * j);
          prefetchWeights(blocks[g] + 64 * j + ahead);
        }
#pragma GCC unroll 16
        for (int t = 0; t < T; t++) {
          const Quad quad = splatQuad(quads + t * kBlockColumns + 4 * j);
#pragma GCC unroll 4
          for (int g = 0; g < G; g++) dots[t][g] = dotBytes(dots[t][g], codes[g], quad);
        }
      }
    }
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) {
      addScaled<T, G>(dots, g, Codec::scale(tiles[g], block), scales, sums);
      if constexpr (Codec::kHasMin) {
        const F32 min = Codec::min(tiles[g], block);
        const float* factors = reinterpret_cast<const float*>(starts);
#pragma GCC unroll 16
        for (int t = 0; t < T; t++) sums[t][g] = fmadd(min, splat(factors[t]), sums[t][g]);
      }
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
  // Behind its end a group is followed by those of the same pass, and then by the next to be worked on.
  const uint8_t* lastRequest = weights + (groupStride > kPrefetchBytes ? groupStride - kPrefetchBytes : 0);
  size_t ahead = kPrefetchBytes;
  for (; numBlocks >= Codec::kTileBlocks; numBlocks -= Codec::kTileBlocks) {
    if (tiles[0] >= lastRequest) ahead = kPrefetchBytes + (G - 1) * groupStride;
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) {
#pragma GCC unroll 8
      for (size_t offset = 0; offset < Codec::kHeaderBytes; offset += 64) prefetchWeights(tiles[g] + offset + ahead);
    }
#pragma GCC unroll 2
    for (size_t block = 0; block < Codec::kTileBlocks; block++, panel += kPanelBytes) addBlock<Codec, T, G>(tiles, block, panel, ahead, sums);
#pragma GCC unroll 4
    for (int g = 0; g < G; g++) tiles[g] += Codec::kHeaderBytes + Codec::kTileBlocks * Codec::kBlockBytes;
  }
  // A row is whole tiles of 256 columns, or ends within a smaller one.
  if constexpr (Codec::kTileBlocks < 8) {
    for (size_t block = 0; block < numBlocks; block++, panel += kPanelBytes) addBlock<Codec, T, G>(tiles, block, panel, ahead, sums);
  }
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

inline void multiplyPanelOfType(const MatMulTask& task, const uint8_t* weights, size_t stride, size_t numGroups, const uint8_t* panel,
                                size_t count, float* tile) {
  const auto run = [&](auto codec) { multiplyPanel<decltype(codec)>(task, weights, stride, numGroups, panel, count, tile); };
  switch (task.type) {
    case WeightType::kQ4_0: return run(Codec<NibbleCodes<0>, BlockFactors<false>>());
    case WeightType::kQ4_1: return run(Codec<NibbleCodes<0>, BlockFactors<true>>());
    case WeightType::kQ5_0: return run(Codec<NibbleCodes<1>, BlockFactors<false>>());
    case WeightType::kQ5_1: return run(Codec<NibbleCodes<1>, BlockFactors<true>>());
    case WeightType::kQ8_0: return run(Codec<ByteCodes, BlockFactors<false>>());
    case WeightType::kQ4_K: return run(Codec<NibbleCodes<0>, SuperFactors>());
    case WeightType::kQ5_K: return run(Codec<NibbleCodes<1>, SuperFactors>());
    case WeightType::kQ6_K: return run(Codec<NibbleCodes<2>, SignedSuperFactors<32>>());
    case WeightType::kQ2_K: return run(Codec<TwoBitCodes<false>, NibbleSuperFactors>());
    case WeightType::kQ3_K: return run(Codec<TwoBitCodes<true>, SignedSuperFactors<4>>());
    case WeightType::kIq4Nl: return run(Codec<TableCodes<kIq4Table, true>, BlockFactors<false>>());
    case WeightType::kIq4Xs: return run(Codec<TableCodes<kIq4Table, true>, SignedBlockFactors>());
    case WeightType::kMxfp4: return run(Codec<TableCodes<kMxfp4Table, false>, ExponentFactors>());
    default: return;
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
    multiplyPanelOfType(task, weights, stride, numGroups, panel, rows, tile);
    if (task.numPlanes == 2) addPlanes(tile, numGroups, count);
    finishTile(task, tile, token, count, firstGroup, numGroups);
  }
}

}  // namespace TARS_ISA
}  // namespace tars
