#include <math.h>

#include "paged_attention.h"

namespace tars {

namespace {

// Root-mean-square norm of one head, in place.
void normalise(float* head, size_t size, const float* weight, float epsilon) {
  double sums[8] = {};  // independent sums keep the additions off each other's latency; their order is fixed
  for (size_t i = 0; i < size; i++) sums[i % 8] += static_cast<double>(head[i]) * head[i];
  const double sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  const float factor = static_cast<float>(1.0 / sqrt(sum / static_cast<double>(size) + epsilon));
  for (size_t i = 0; i < size; i++) head[i] = head[i] * factor * weight[i];
}

// Rotates the first 2 * half values of one head, in place; pairs are (2i, 2i+1) or (i, i + half).
void rotate(float* head, const float* cosines, const float* sines, size_t half, bool isInterleaved) {
  const size_t step = isInterleaved ? 2 : 1, distance = isInterleaved ? 1 : half;
  for (size_t i = 0; i < half; i++) {
    const float a = head[i * step], b = head[i * step + distance];
    head[i * step] = a * cosines[i] - b * sines[i];
    head[i * step + distance] = b * cosines[i] + a * sines[i];
  }
}

void prepareHead(const AttentionBatch& batch, int64_t position, const float* norm, float* head) {
  if (norm != nullptr) normalise(head, batch.headSize, norm, batch.attributes.normEpsilon);
  if (batch.attributes.hasRotary) {
    const size_t row = static_cast<size_t>(position) * batch.rotaryHalf;
    rotate(head, batch.cosines + row, batch.sines + row, batch.rotaryHalf, batch.attributes.isInterleaved);
  }
}

void prepareToken(const AttentionBatch& batch, size_t sequence, size_t token, float* queries) {
  const int64_t position = batch.pastLengths[sequence] + static_cast<int64_t>(token) - batch.cumulativeLengths[sequence];
  const size_t numHeads = static_cast<size_t>(batch.attributes.numHeads);
  for (size_t h = 0; h < numHeads; h++) {
    float* head = queries + (token * numHeads + h) * batch.paddedHeadSize;
    memcpy(head, batch.query + token * batch.queryStride + h * batch.headSize, batch.headSize * sizeof(float));
    memset(head + batch.headSize, 0, (batch.paddedHeadSize - batch.headSize) * sizeof(float));
    prepareHead(batch, position, batch.queryNorm, head);
    for (size_t i = 0; i < batch.headSize; i++) head[i] *= batch.scale;
  }
  for (size_t h = 0; h < static_cast<size_t>(batch.attributes.numKvHeads); h++) {
    const size_t offset = batch.cacheOffset(sequence, position, h);
    float key[kMaxHeadSize];
    memcpy(key, batch.key + token * batch.keyStride + h * batch.headSize, batch.headSize * sizeof(float));
    prepareHead(batch, position, batch.keyNorm, key);
    kernels().storeRow(batch.cacheType, key, batch.headSize, batch.keyCache + offset);
    kernels().storeRow(batch.cacheType, batch.value + token * batch.valueStride + h * batch.headSize, batch.headSize, batch.valueCache + offset);
  }
}

size_t sequenceOf(const AttentionBatch& batch, size_t token) {
  size_t sequence = 0;
  while (static_cast<size_t>(batch.cumulativeLengths[sequence + 1]) <= token) sequence++;
  return sequence;
}

}  // namespace

void prepareTokens(OpContext& op, const AttentionBatch& batch, float* queries) {
  constexpr size_t kTokensPerItem = 4;
  const size_t items = (batch.numTokens + kTokensPerItem - 1) / kTokensPerItem;
  const auto prepare = [&](size_t, size_t item) {
    const size_t end = (item + 1) * kTokensPerItem < batch.numTokens ? (item + 1) * kTokensPerItem : batch.numTokens;
    for (size_t t = item * kTokensPerItem; t < end; t++) prepareToken(batch, sequenceOf(batch, t), t, queries);
  };
  op.parallel(items, prepare);
}

}  // namespace tars
