// Activations to signed 8-bit codes per block of 32 (as Q8_0, with a single-precision scale). With two planes the second one
// holds what the first left over, with a scale of its own: together about 16 bits, for models whose answers 8 bits would turn.
//
// A panel serves the tokens of one pass over the weights; each plane of a token is a row of it, the planes of a token side by
// side. Per block: [rows][32] codes, [rows] scales, [rows] start values.
// The start value is what the integer sum begins with: -offset * sum(codes) makes unsigned weight codes exact; for types with
// a min it is the float scale * sum(codes), which multiplies the min; for types with sub-blocks of 16 columns it is the sum of
// the codes of each, as two 16-bit integers, for either use.
#pragma once

#include <math.h>
#include <string.h>

#include "tars/kernels.h"

namespace tars {
namespace TARS_ISA {

// Integer order of the bits of |x| is the order of the values, and a NaN comes out on top, so that it reaches the scale.
inline float maxMagnitude(const float* x) {
  int32_t bits[kBlockColumns];
  memcpy(bits, x, sizeof(bits));
  int32_t largest = 0;
  for (size_t i = 0; i < kBlockColumns; i++) {
    const int32_t magnitude = bits[i] & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  float value;
  memcpy(&value, &largest, sizeof(value));
  return value;
}

// Rounds x * factor to the nearest code (ties to even) and returns the sum of the codes.
inline int32_t roundBlock(const float* x, float factor, int8_t* codes) {
  float shifted[kBlockColumns];
  for (size_t i = 0; i < kBlockColumns; i++) shifted[i] = x[i] * factor + 12582912.0f;  // 1.5 * 2^23
  int32_t bits[kBlockColumns];
  memcpy(bits, shifted, sizeof(bits));
  int32_t sum = 0;
  for (size_t i = 0; i < kBlockColumns; i++) {
    int32_t code = bits[i] - 0x4b400000;
    code = code > 127 ? 127 : code < -127 ? -127 : code;  // only infinities and NaN need it
    codes[i] = static_cast<int8_t>(code);
    sum += code;
  }
  return sum;
}

// Where a row's codes, scale and start value lie within one block of a panel.
struct PanelPlace {
  uint8_t* block;
  size_t numRows;
  size_t row;

  int8_t* codes() const { return reinterpret_cast<int8_t*>(block + row * kBlockColumns); }
  uint8_t* scale() const { return block + numRows * kBlockColumns + row * 4; }
  uint8_t* start() const { return block + numRows * (kBlockColumns + 4) + row * 4; }
};

// Quantises one block into its place and returns the scale.
inline float quantiseBlock(const float* x, const WeightTypeInfo& info, int offset, const PanelPlace& place) {
  const float largest = maxMagnitude(x);
  const float scale = largest / 127.0f;
  const float factor = largest > 0 ? 127.0f / largest : 0.0f;
  const int32_t sum = roundBlock(x, isinf(factor) ? 0.0f : factor, place.codes());
  memcpy(place.scale(), &scale, 4);
  const int32_t start = -offset * sum;
  const float minFactor = scale * static_cast<float>(sum);
  if (info.hasSubBlocks()) {
    int32_t first = 0;
    for (size_t i = 0; i < kBlockColumns / 2; i++) first += place.codes()[i];
    const int16_t sums[2] = {static_cast<int16_t>(first), static_cast<int16_t>(sum - first)};
    memcpy(place.start(), sums, 4);
  } else if (info.hasMin()) {
    memcpy(place.start(), &minFactor, 4);
  } else {
    memcpy(place.start(), &start, 4);
  }
  return scale;
}

inline void quantisePanel(const MatMulTask& task, size_t firstToken, size_t count) {
  const WeightTypeInfo& info = weightTypeInfo(task.type);
  const int offset = info.codeOffset == 128 ? kByteOffset : info.codeOffset;
  const size_t numBlocks = task.numCols / kBlockColumns;
  const size_t numRows = count * task.numPlanes;
  uint8_t* panel = task.panels + firstToken * task.numPlanes * numBlocks * kPanelBlockBytes;
  for (size_t t = 0; t < count; t++) {
    const float* x = task.activations + (firstToken + t) * task.numCols;
    for (size_t block = 0; block < numBlocks; block++) {
      PanelPlace place = {panel + block * numRows * kPanelBlockBytes, numRows, t * task.numPlanes};
      const float* values = x + block * kBlockColumns;
      const float scale = quantiseBlock(values, info, offset, place);
      if (task.numPlanes == 2) {
        float rest[kBlockColumns];
        for (size_t i = 0; i < kBlockColumns; i++) rest[i] = values[i] - scale * static_cast<float>(place.codes()[i]);
        place.row++;
        quantiseBlock(rest, info, offset, place);
      }
    }
  }
}

}  // namespace TARS_ISA
}  // namespace tars
