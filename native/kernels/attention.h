// Attention of a few query rows over one part of the cache, and the merging of parts.
//
// A row's result is a fixed sequence of operations on its own positions: parts begin at multiples of 256 positions, masked
// positions add exact zeros, and parts are merged in order. Tiles, batches and threads therefore never change a bit of it.
#pragma once

#include <string.h>

#include "tars/kernels.h"

namespace tars {
namespace TARS_ISA {

constexpr size_t kChunk = 16;  // positions per vector
constexpr size_t kChunksPerPass = kGroupsPerPass;

struct AttentionScratch {
  float* keys;     // [kChunksPerPass, paddedHeadSize, 16]: transposed
  float* scores;   // [numRows, kAttentionPartPositions]
  float* queries;  // [numRows, paddedHeadSize]
  float* padded;   // [kAttentionPartPositions, paddedHeadSize]: rows of a head size that is no multiple of 16
};

inline AttentionScratch splitScratch(void* scratch, size_t numRows, size_t width) {
  AttentionScratch parts;
  parts.keys = static_cast<float*>(scratch);
  parts.scores = parts.keys + kChunksPerPass * width * kChunk;
  parts.queries = parts.scores + numRows * kAttentionPartPositions;
  parts.padded = parts.queries + numRows * width;
  return parts;
}

inline size_t attentionScratchBytes(size_t numRows, size_t width) {
  const size_t floats = kChunksPerPass * width * kChunk + numRows * (kAttentionPartPositions + width) + kAttentionPartPositions * width;
  return floats * sizeof(float);
}

// A head size that is no multiple of 16: copies the rows to `padded` (as stored, 2 or 4 bytes a value, zeros behind them), so
// that whole vectors may be read. `rows` receives the new pointers.
inline const void* const* padRows(const AttentionPart& part, const void* const* source, float* padded, const void** rows) {
  if (part.headSize == part.paddedHeadSize) return source;
  const size_t valueBytes = part.cacheType == CacheType::kF16 ? 2 : 4;  // quantised rows are whole blocks
  for (size_t j = 0; j < part.numPositions; j++) {
    uint8_t* target = reinterpret_cast<uint8_t*>(padded + j * part.paddedHeadSize);
    memcpy(target, source[j], part.headSize * valueBytes);
    memset(target + part.headSize * valueBytes, 0, (part.paddedHeadSize - part.headSize) * valueBytes);
    rows[j] = target;
  }
  return rows;
}

// Values [index, index + 16) of a row.
template <CacheType kType>
[[gnu::always_inline]] inline F32 loadCached(const void* row, size_t index, size_t headSize) {
  const uint8_t* bytes = static_cast<const uint8_t*>(row);
  const size_t block = index / kBlockColumns;
  switch (kType) {
    case CacheType::kF32: return load(static_cast<const float*>(row) + index);
    case CacheType::kF16: return loadHalf(static_cast<const uint16_t*>(row) + index);
    case CacheType::kQ8_0: return mul(loadSignedBytes(bytes + index), splatHalf(bytes + headSize + 2 * block));
    case CacheType::kQ4_0: {
      const uint8_t* codes = bytes + 16 * block;
      const F32 code = index % kBlockColumns == 0 ? loadLowNibbles(codes) : loadHighNibbles(codes);
      return mul(sub(code, splat(8.0f)), splatHalf(bytes + headSize / 2 + 2 * block));
    }
  }
}

// 16 keys from position `first` of the part, transposed to [paddedHeadSize, 16]; positions past the end are zeros.
template <CacheType kType>
inline void transposeKeys(const AttentionPart& part, const void* const* keys, size_t first, float* out) {
  for (size_t d = 0; d < part.paddedHeadSize; d += 16) {
    F32 rows[16];
    for (size_t i = 0; i < kChunk; i++) {
      rows[i] = first + i < part.numPositions ? loadCached<kType>(keys[first + i], d, part.headSize) : splat(0.0f);
    }
    transpose(rows, out + d * kChunk);
  }
}

template <int G>
inline void scoreChunks(const AttentionPart& part, const AttentionScratch& scratch, size_t first) {
  const size_t width = part.paddedHeadSize;
  const float* keys = scratch.keys;
  const size_t panels = numPanels(part.numRows, kFloatPanelRows);
  for (size_t p = 0; p < panels; p++) {
    const size_t row = panelBegin(p, panels, part.numRows), count = panelBegin(p + 1, panels, part.numRows) - row;
    const auto key = [keys, width](size_t d, int g) { return load(keys + (g * width + d) * kChunk); };
    addColumnsOf<G>(count, scratch.queries + row * width, width, width, key, scratch.scores + row * kAttentionPartPositions + first,
                    kAttentionPartPositions, kChunk);
  }
}

// Rows of one head lie a whole token apart, which hardware prefetchers do not follow: without this a prompt chunk over a long
// cache waits for the last-level cache most of its time.
inline void prefetchChunk(const AttentionPart& part, const void* const* rows, size_t first) {
  const size_t rowBytes = cacheRowBytes(part.cacheType, part.headSize);
  for (size_t j = first; j < first + kChunk && j < part.numPositions; j++) {
    for (size_t offset = 0; offset < rowBytes; offset += 64) __builtin_prefetch(static_cast<const uint8_t*>(rows[j]) + offset);
  }
}

// scores[row][position] = query . key for all positions, visible or not.
template <CacheType kType>
inline void computeScores(const AttentionPart& part, const void* const* keys, const AttentionScratch& scratch) {
  const size_t numChunks = (part.numPositions + kChunk - 1) / kChunk;
  for (size_t chunk = 0; chunk < numChunks;) {
    const size_t pass = chunk + kChunksPerPass <= numChunks ? kChunksPerPass : 1;
    for (size_t g = 0; g < pass; g++) {
      prefetchChunk(part, keys, (chunk + g + kChunksPerPass) * kChunk);
      prefetchChunk(part, part.values, (chunk + g) * kChunk);
      transposeKeys<kType>(part, keys, (chunk + g) * kChunk, scratch.keys + g * part.paddedHeadSize * kChunk);
    }
    if (pass == 1) {
      scoreChunks<1>(part, scratch, chunk * kChunk);
    } else {
      scoreChunks<kChunksPerPass>(part, scratch, chunk * kChunk);
    }
    chunk += pass;
  }
}

// Turns a row's scores into exponentials in place; masked positions become exact zeros.
inline void exponentiateRow(const AttentionPart& part, size_t row, float* scores, const AttentionState& state) {
  const size_t numVectors = (part.numPositions + kChunk - 1) / kChunk;
  const int64_t begin = part.rowBegin[row] - part.firstPosition, end = part.rowEnd[row] - part.firstPosition;
  const int64_t limit = static_cast<int64_t>(part.numPositions);
  const size_t from = static_cast<size_t>(begin < 0 ? 0 : begin > limit ? limit : begin);
  const size_t to = static_cast<size_t>(end < 0 ? 0 : end > limit ? limit : end);
  if (from >= to) {
    memset(scores, 0, numVectors * kChunk * sizeof(float));
    state.maximum[row] = kEmptyMaximum;
    state.sum[row] = 0.0f;
    return;
  }
  if (part.softcap > 0) {
    const F32 cap = splat(part.softcap), inverse = splat(1.0f / part.softcap);
    for (size_t v = 0; v < numVectors; v++) store(scores + v * kChunk, mul(cap, tanh(mul(load(scores + v * kChunk), inverse))));
  }
  for (size_t i = 0; i < from; i++) scores[i] = kEmptyMaximum;
  for (size_t i = to; i < numVectors * kChunk; i++) scores[i] = kEmptyMaximum;
  F32 maxima = splat(kEmptyMaximum);
  for (size_t v = 0; v < numVectors; v++) maxima = vmax(load(scores + v * kChunk), maxima);
  const float maximum = maxOf(maxima);
  F32 sums = splat(0.0f);
  for (size_t v = 0; v < numVectors; v++) {
    const F32 e = exponential(sub(load(scores + v * kChunk), splat(maximum)));
    store(scores + v * kChunk, e);
    sums = add(sums, e);
  }
  state.maximum[row] = maximum;
  state.sum[row] = sumOf(sums);
}

template <int G, CacheType kType>
inline void weighColumns(const AttentionPart& part, const void* const* values, const AttentionScratch& scratch, size_t column,
                         const AttentionState& state) {
  const size_t width = part.paddedHeadSize;
  const size_t panels = numPanels(part.numRows, kFloatPanelRows);
  for (size_t p = 0; p < panels; p++) {
    const size_t row = panelBegin(p, panels, part.numRows), count = panelBegin(p + 1, panels, part.numRows) - row;
    const size_t headSize = part.headSize;
    const auto value = [values, column, headSize](size_t j, int g) { return loadCached<kType>(values[j], column + g * 16, headSize); };
    addColumnsOf<G>(count, scratch.scores + row * kAttentionPartPositions, kAttentionPartPositions, part.numPositions, value,
                    state.values + row * width + column, width, 16);
  }
}

// state.values[row] = sum over positions of exponential * value.
template <CacheType kType>
inline void weighValues(const AttentionPart& part, const void* const* values, const AttentionScratch& scratch, const AttentionState& state) {
  size_t column = 0;
  for (; column + 16 * kGroupsPerPass <= part.paddedHeadSize; column += 16 * kGroupsPerPass) {
    weighColumns<kGroupsPerPass, kType>(part, values, scratch, column, state);
  }
  for (; column < part.paddedHeadSize; column += 16) weighColumns<1, kType>(part, values, scratch, column, state);
}

template <CacheType kType>
inline void attendPartOf(const AttentionPart& part, const AttentionState& state, void* memory) {
  const AttentionScratch scratch = splitScratch(memory, part.numRows, part.paddedHeadSize);
  const void* rows[kAttentionPartPositions];
  for (size_t r = 0; r < part.numRows; r++) {
    memcpy(scratch.queries + r * part.paddedHeadSize, part.queries[r], part.paddedHeadSize * sizeof(float));
  }
  computeScores<kType>(part, padRows(part, part.keys, scratch.padded, rows), scratch);
  for (size_t r = 0; r < part.numRows; r++) exponentiateRow(part, r, scratch.scores + r * kAttentionPartPositions, state);
  weighValues<kType>(part, padRows(part, part.values, scratch.padded, rows), scratch, state);
}

inline void attendPart(const AttentionPart& part, const AttentionState& state, void* memory) {
  switch (part.cacheType) {
    case CacheType::kF32: return attendPartOf<CacheType::kF32>(part, state, memory);
    case CacheType::kF16: return attendPartOf<CacheType::kF16>(part, state, memory);
    case CacheType::kQ8_0: return attendPartOf<CacheType::kQ8_0>(part, state, memory);
    case CacheType::kQ4_0: return attendPartOf<CacheType::kQ4_0>(part, state, memory);
  }
}

inline void mergeParts(size_t numRows, size_t width, const AttentionState& total, const AttentionState& part) {
  for (size_t r = 0; r < numRows; r++) {
    const float maximum = total.maximum[r] > part.maximum[r] ? total.maximum[r] : part.maximum[r];
    const float keep = exponential(total.maximum[r] - maximum), take = exponential(part.maximum[r] - maximum);
    total.maximum[r] = maximum;
    total.sum[r] = total.sum[r] * keep + part.sum[r] * take;
    for (size_t d = 0; d < width; d += 16) {
      float* target = total.values + r * width + d;
      store(target, fmadd(load(part.values + r * width + d), splat(take), mul(load(target), splat(keep))));
    }
  }
}

inline void finishRow(const float* values, float maximum, float sum, const float* sink, size_t headSize, float* output) {
  float keep = 1.0f;
  if (sink != nullptr) {
    const float top = maximum > *sink ? maximum : *sink;
    keep = exponential(maximum - top);
    sum = sum * keep + exponential(*sink - top);
  }
  const F32 factor = splat(sum > 0 || sum != sum ? keep / sum : 0.0f);  // NaN is kept; an empty row gives zeros
  for (size_t d = 0; d < headSize; d += 16) storePartial(output + d, mul(load(values + d), factor), headSize - d);
}

inline void storeHalves(const float* values, size_t count, uint16_t* halves) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) storeHalf(halves + i, load(values + i));
  if (i < count) {
    uint16_t tail[16];
    storeHalf(tail, loadPartial(values + i, count - i));
    memcpy(halves + i, tail, (count - i) * sizeof(uint16_t));
  }
}

inline uint16_t halfOf(float value) {
  uint16_t halves[16];
  storeHalf(halves, splat(value));
  return halves[0];
}

// One block as GGML rounds it: q8_0 by the largest magnitude; q4_0 by the value of the largest magnitude, which becomes -8.
inline void storeBlock8(const float* x, int8_t* codes, void* scale) {
  const float largest = maxMagnitude(x);
  const float factor = largest > 0 ? 127.0f / largest : 0.0f;
  roundBlock(x, isinf(factor) ? 0.0f : factor, codes);
  const uint16_t half = halfOf(largest / 127.0f);
  memcpy(scale, &half, 2);
}
inline void storeBlock4(const float* x, uint8_t* codes, void* scale) {
  float extreme = 0;
  for (size_t i = 0; i < kBlockColumns; i++) extreme = fabsf(x[i]) > fabsf(extreme) ? x[i] : extreme;
  const float factor = extreme != 0 ? -8.0f / extreme : 0.0f;
  const float usable = isinf(factor) ? 0.0f : factor;
  const auto codeOf = [&](float value) {
    const float shifted = value * usable + 8.5f;
    return static_cast<uint8_t>(shifted >= 0 ? (shifted < 15 ? shifted : 15) : 0);  // NaN becomes 0
  };
  for (size_t i = 0; i < kBlockColumns / 2; i++) codes[i] = static_cast<uint8_t>(codeOf(x[i]) | codeOf(x[16 + i]) << 4);
  const uint16_t half = halfOf(extreme / -8.0f);
  memcpy(scale, &half, 2);
}

inline void storeRow(CacheType type, const float* values, size_t headSize, void* row) {
  uint8_t* bytes = static_cast<uint8_t*>(row);
  switch (type) {
    case CacheType::kF32: memcpy(row, values, headSize * sizeof(float)); return;
    case CacheType::kF16: storeHalves(values, headSize, static_cast<uint16_t*>(row)); return;
    case CacheType::kQ8_0:
      for (size_t block = 0; block < headSize / kBlockColumns; block++) {
        const size_t first = block * kBlockColumns;
        storeBlock8(values + first, reinterpret_cast<int8_t*>(bytes + first), bytes + headSize + 2 * block);
      }
      return;
    case CacheType::kQ4_0:
      for (size_t block = 0; block < headSize / kBlockColumns; block++) {
        storeBlock4(values + block * kBlockColumns, bytes + 16 * block, bytes + headSize / 2 + 2 * block);
      }
      return;
  }
}

}  // namespace TARS_ISA
}  // namespace tars
