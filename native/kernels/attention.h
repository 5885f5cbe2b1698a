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
  const size_t valueBytes = part.isHalf ? 2 : 4;
  for (size_t j = 0; j < part.numPositions; j++) {
    uint8_t* target = reinterpret_cast<uint8_t*>(padded + j * part.paddedHeadSize);
    memcpy(target, source[j], part.headSize * valueBytes);
    memset(target + part.headSize * valueBytes, 0, (part.paddedHeadSize - part.headSize) * valueBytes);
    rows[j] = target;
  }
  return rows;
}

inline F32 loadCached(const void* row, size_t index, bool isHalf) {
  return isHalf ? loadHalf(static_cast<const uint16_t*>(row) + index) : load(static_cast<const float*>(row) + index);
}

// 16 keys from position `first` of the part, transposed to [paddedHeadSize, 16]; positions past the end are zeros.
inline void transposeKeys(const AttentionPart& part, const void* const* keys, size_t first, float* out) {
  for (size_t d = 0; d < part.paddedHeadSize; d += 16) {
    F32 rows[16];
    for (size_t i = 0; i < kChunk; i++) {
      rows[i] = first + i < part.numPositions ? loadCached(keys[first + i], d, part.isHalf) : splat(0.0f);
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
  const size_t rowBytes = part.headSize * (part.isHalf ? 2 : 4);
  for (size_t j = first; j < first + kChunk && j < part.numPositions; j++) {
    for (size_t offset = 0; offset < rowBytes; offset += 64) __builtin_prefetch(static_cast<const uint8_t*>(rows[j]) + offset);
  }
}

// scores[row][position] = query . key for all positions, visible or not.
inline void computeScores(const AttentionPart& part, const void* const* keys, const AttentionScratch& scratch) {
  const size_t numChunks = (part.numPositions + kChunk - 1) / kChunk;
  for (size_t chunk = 0; chunk < numChunks;) {
    const size_t pass = chunk + kChunksPerPass <= numChunks ? kChunksPerPass : 1;
    for (size_t g = 0; g < pass; g++) {
      prefetchChunk(part, keys, (chunk + g + kChunksPerPass) * kChunk);
      prefetchChunk(part, part.values, (chunk + g) * kChunk);
      transposeKeys(part, keys, (chunk + g) * kChunk, scratch.keys + g * part.paddedHeadSize * kChunk);
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

template <int G, bool kIsHalf>
inline void weighColumns(const AttentionPart& part, const void* const* values, const AttentionScratch& scratch, size_t column,
                         const AttentionState& state) {
  const size_t width = part.paddedHeadSize;
  const size_t panels = numPanels(part.numRows, kFloatPanelRows);
  for (size_t p = 0; p < panels; p++) {
    const size_t row = panelBegin(p, panels, part.numRows), count = panelBegin(p + 1, panels, part.numRows) - row;
    const auto value = [values, column](size_t j, int g) { return loadCached(values[j], column + g * 16, kIsHalf); };
    addColumnsOf<G>(count, scratch.scores + row * kAttentionPartPositions, kAttentionPartPositions, part.numPositions, value,
                    state.values + row * width + column, width, 16);
  }
}

// state.values[row] = sum over positions of exponential * value.
template <bool kIsHalf>
inline void weighValues(const AttentionPart& part, const void* const* values, const AttentionScratch& scratch, const AttentionState& state) {
  size_t column = 0;
  for (; column + 16 * kGroupsPerPass <= part.paddedHeadSize; column += 16 * kGroupsPerPass) {
    weighColumns<kGroupsPerPass, kIsHalf>(part, values, scratch, column, state);
  }
  for (; column < part.paddedHeadSize; column += 16) weighColumns<1, kIsHalf>(part, values, scratch, column, state);
}

inline void attendPart(const AttentionPart& part, const AttentionState& state, void* memory) {
  const AttentionScratch scratch = splitScratch(memory, part.numRows, part.paddedHeadSize);
  const void* rows[kAttentionPartPositions];
  for (size_t r = 0; r < part.numRows; r++) {
    memcpy(scratch.queries + r * part.paddedHeadSize, part.queries[r], part.paddedHeadSize * sizeof(float));
  }
  computeScores(part, padRows(part, part.keys, scratch.padded, rows), scratch);
  for (size_t r = 0; r < part.numRows; r++) exponentiateRow(part, r, scratch.scores + r * kAttentionPartPositions, state);
  const void* const* values = padRows(part, part.values, scratch.padded, rows);
  if (part.isHalf) {
    weighValues<true>(part, values, scratch, state);
  } else {
    weighValues<false>(part, values, scratch, state);
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

}  // namespace TARS_ISA
}  // namespace tars
