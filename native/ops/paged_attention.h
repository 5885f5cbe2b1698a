// The checked inputs of one PagedAttention run, and its two stages.
#pragma once

#include "op.h"

namespace tars {

struct AttentionAttributes {
  int64_t numHeads, numKvHeads, window;  // window -1: off; counts the current token
  float scale, softcap, normEpsilon;     // scale 0: 1 / sqrt(head size); softcap 0: off
  bool isCausal, hasRotary, isInterleaved;
  CacheType cacheType;                   // of a cache of bytes; otherwise the element type says it
  int64_t headSize;                      // of a cache of bytes
};

// A ragged batch over a paged cache. Pointers are to the inputs' memory; absent inputs are null.
struct AttentionBatch {
  AttentionAttributes attributes;
  size_t numTokens, numSequences, headSize, paddedHeadSize;
  float scale;

  const float* query;  // row t at query + t * queryStride
  const float* key;
  const float* value;
  size_t queryStride, keyStride, valueStride;

  uint8_t* keyCache;  // [numBlocks, blockSize, numKvHeads] rows
  uint8_t* valueCache;
  CacheType cacheType;
  size_t rowBytes;
  int64_t numBlocks, blockSize, blocksPerSequence;

  const int32_t* cumulativeLengths;  // [numSequences + 1]
  const int32_t* pastLengths;        // [numSequences]
  const int32_t* blockTable;         // [numSequences, blocksPerSequence]

  const float* cosines;  // [maxPositions, rotaryHalf]
  const float* sines;
  size_t rotaryHalf;
  const float* sinks;      // [numHeads]
  const float* queryNorm;  // [headSize]
  const float* keyNorm;

  size_t queriesPerKvHead() const { return static_cast<size_t>(attributes.numHeads / attributes.numKvHeads); }
  int64_t newLength(size_t sequence) const { return cumulativeLengths[sequence + 1] - cumulativeLengths[sequence]; }
  int64_t totalLength(size_t sequence) const { return pastLengths[sequence] + newLength(sequence); }
  // Visible positions [begin, end) of the token at `position` of `sequence`.
  int64_t visibleBegin(int64_t position) const {
    return attributes.window > 0 && position >= attributes.window ? position - attributes.window + 1 : 0;
  }
  int64_t visibleEnd(size_t sequence, int64_t position) const { return attributes.isCausal ? position + 1 : totalLength(sequence); }
  // Where the cache keeps a position of a sequence, for one key/value head.
  size_t cacheOffset(size_t sequence, int64_t position, size_t kvHead) const {
    const int64_t block = blockTable[static_cast<int64_t>(sequence) * blocksPerSequence + position / blockSize];
    const size_t place = static_cast<size_t>(block * blockSize + position % blockSize);
    return (place * static_cast<size_t>(attributes.numKvHeads) + kvHead) * rowBytes;
  }
};

// Stage 1: norms, rotates and scales the queries into `queries` [numTokens, numHeads, paddedHeadSize]; norms and rotates the
// new keys and writes them and the values to the cache.
void prepareTokens(OpContext& op, const AttentionBatch& batch, float* queries);

// Stage 2: attention of all tokens over the cache.
void attend(OpContext& op, const AttentionBatch& batch, const float* queries, float* output);

}  // namespace tars
