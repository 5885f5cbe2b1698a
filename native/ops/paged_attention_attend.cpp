#include "paged_attention.h"

namespace tars {

namespace {

// Query rows that are computed together: heads [firstHead, firstHead + numHeads) of one key/value head for consecutive tokens.
struct Tile {
  size_t sequence, kvHead, firstHead, numHeads;
  size_t firstToken, numTokens;  // tokens of the flat batch
  size_t firstPart, numParts;    // parts of the cache that any row sees
};

struct TilePlan {
  size_t headsPerTile, headTiles, tokensPerTile;
};

TilePlan planTiles(const AttentionBatch& batch) {
  TilePlan plan;
  const size_t group = batch.queriesPerKvHead();
  plan.headsPerTile = group < kMaxAttentionRows ? group : kMaxAttentionRows;
  plan.headTiles = (group + plan.headsPerTile - 1) / plan.headsPerTile;
  plan.tokensPerTile = kMaxAttentionRows / plan.headsPerTile;
  return plan;
}

size_t tokenTiles(const AttentionBatch& batch, const TilePlan& plan, size_t sequence) {
  return (static_cast<size_t>(batch.newLength(sequence)) + plan.tokensPerTile - 1) / plan.tokensPerTile;
}

// Lists all tiles; returns how many there are. With `tiles` null it only counts.
size_t listTiles(const AttentionBatch& batch, const TilePlan& plan, Tile* tiles) {
  size_t count = 0;
  for (size_t s = 0; s < batch.numSequences; s++) {
    const size_t perHead = tokenTiles(batch, plan, s);
    for (size_t kvHead = 0; kvHead < static_cast<size_t>(batch.attributes.numKvHeads); kvHead++) {
      for (size_t h = 0; h < plan.headTiles; h++) {
        for (size_t i = 0; i < perHead; i++, count++) {
          if (tiles == nullptr) continue;
          Tile& tile = tiles[count];
          tile.sequence = s;
          tile.kvHead = kvHead;
          tile.firstHead = kvHead * batch.queriesPerKvHead() + h * plan.headsPerTile;
          const size_t headsLeft = batch.queriesPerKvHead() - h * plan.headsPerTile;
          tile.numHeads = headsLeft < plan.headsPerTile ? headsLeft : plan.headsPerTile;
          const size_t tokensLeft = static_cast<size_t>(batch.newLength(s)) - i * plan.tokensPerTile;
          tile.firstToken = static_cast<size_t>(batch.cumulativeLengths[s]) + i * plan.tokensPerTile;
          tile.numTokens = tokensLeft < plan.tokensPerTile ? tokensLeft : plan.tokensPerTile;
          const int64_t firstPosition = batch.pastLengths[s] + static_cast<int64_t>(i * plan.tokensPerTile);
          const int64_t lastPosition = firstPosition + static_cast<int64_t>(tile.numTokens) - 1;
          const int64_t end = batch.visibleEnd(s, lastPosition);
          tile.firstPart = static_cast<size_t>(batch.visibleBegin(firstPosition)) / kAttentionPartPositions;
          tile.numParts = (static_cast<size_t>(end) + kAttentionPartPositions - 1) / kAttentionPartPositions - tile.firstPart;
        }
      }
    }
  }
  return count;
}

size_t roundUp(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Memory of one softmax state; every part of it begins on a cache line.
struct StateLayout {
  size_t numRows, paddedHeadSize;

  size_t rowBytes() const { return roundUp(numRows * sizeof(float)); }
  size_t bytes() const { return 2 * rowBytes() + numRows * paddedHeadSize * sizeof(float); }
  AttentionState at(uint8_t* memory) const {
    return {reinterpret_cast<float*>(memory), reinterpret_cast<float*>(memory + rowBytes()),
            reinterpret_cast<float*>(memory + 2 * rowBytes())};
  }
  AttentionState clear(uint8_t* memory) const {
    const AttentionState state = at(memory);
    for (size_t r = 0; r < numRows; r++) state.maximum[r] = kEmptyMaximum;
    memset(state.sum, 0, numRows * sizeof(float));
    memset(state.values, 0, numRows * paddedHeadSize * sizeof(float));
    return state;
  }
};

// The layout that holds the largest of the tiles.
StateLayout layoutOf(const AttentionBatch& batch, const Tile* tiles, size_t numTiles) {
  size_t numRows = 0;
  for (size_t i = 0; i < numTiles; i++) {
    const size_t rows = tiles[i].numTokens * tiles[i].numHeads;
    numRows = rows > numRows ? rows : numRows;
  }
  return {numRows, batch.paddedHeadSize};
}

void attendTilePart(const AttentionBatch& batch, const Tile& tile, const float* queries, size_t partIndex, const AttentionState& state,
                    void* scratch) {
  const float* rowQueries[kMaxAttentionRows];
  int64_t begins[kMaxAttentionRows], ends[kMaxAttentionRows];
  int64_t first = INT64_MAX, end = 0;
  size_t row = 0;
  for (size_t t = 0; t < tile.numTokens; t++) {
    const int64_t position =
        batch.pastLengths[tile.sequence] + static_cast<int64_t>(tile.firstToken + t) - batch.cumulativeLengths[tile.sequence];
    const int64_t begin = batch.visibleBegin(position), visibleEnd = batch.visibleEnd(tile.sequence, position);
    first = begin < first ? begin : first;
    end = visibleEnd > end ? visibleEnd : end;
    for (size_t h = 0; h < tile.numHeads; h++, row++) {
      const size_t head = (tile.firstToken + t) * static_cast<size_t>(batch.attributes.numHeads) + tile.firstHead + h;
      rowQueries[row] = queries + head * batch.paddedHeadSize;
      begins[row] = begin;
      ends[row] = visibleEnd;
    }
  }
  const int64_t firstPosition = static_cast<int64_t>(partIndex * kAttentionPartPositions);
  const int64_t left = end - firstPosition, most = static_cast<int64_t>(kAttentionPartPositions);
  const size_t numPositions = static_cast<size_t>(left < most ? left : most);
  const void* keys[kAttentionPartPositions];
  const void* values[kAttentionPartPositions];
  for (size_t j = 0; j < numPositions; j++) {
    // A position before every row's window may lie in a block that was given back: any readable place does, it is masked.
    const int64_t position = firstPosition + static_cast<int64_t>(j);
    const size_t offset = batch.cacheOffset(tile.sequence, position < first ? first : position, tile.kvHead);
    keys[j] = batch.keyCache + offset;
    values[j] = batch.valueCache + offset;
  }
  AttentionPart part = {};
  part.numRows = row;
  part.headSize = batch.headSize;
  part.paddedHeadSize = batch.paddedHeadSize;
  part.queries = rowQueries;
  part.rowBegin = begins;
  part.rowEnd = ends;
  part.firstPosition = firstPosition;
  part.numPositions = numPositions;
  part.keys = keys;
  part.values = values;
  part.cacheType = batch.cacheType;
  part.softcap = batch.attributes.softcap;
  kernels().attendPart(part, state, scratch);
}

void finishTile(const AttentionBatch& batch, const Tile& tile, const AttentionState& state, float* output) {
  const size_t numHeads = static_cast<size_t>(batch.attributes.numHeads);
  for (size_t t = 0, row = 0; t < tile.numTokens; t++) {
    for (size_t h = 0; h < tile.numHeads; h++, row++) {
      const size_t head = tile.firstHead + h;
      kernels().finishRow(state.values + row * batch.paddedHeadSize, state.maximum[row], state.sum[row],
                          batch.sinks == nullptr ? nullptr : batch.sinks + head, batch.headSize,
                          output + ((tile.firstToken + t) * numHeads + head) * batch.headSize);
    }
  }
}

// Many tiles: each worker does all parts of a tile, in order.
void attendWholeTiles(OpContext& op, const AttentionBatch& batch, const Tile* tiles, size_t numTiles, const float* queries, float* output) {
  const StateLayout layout = layoutOf(batch, tiles, numTiles);
  const size_t scratchBytes = roundUp(kernels().attentionScratchBytes(layout.numRows, batch.paddedHeadSize));
  const size_t workerBytes = scratchBytes + 2 * layout.bytes();
  const Scratch memory(OpContext::numWorkers(numTiles) * workerBytes);
  if (memory.get() == nullptr) return op.fail("no memory for attention");
  op.parallel(numTiles, [&](size_t worker, size_t index) {
    uint8_t* own = memory.get() + worker * workerBytes;
    const AttentionState total = layout.clear(own + scratchBytes);
    const AttentionState part = layout.at(own + scratchBytes + layout.bytes());
    const Tile& tile = tiles[index];
    for (size_t p = 0; p < tile.numParts; p++) {
      attendTilePart(batch, tile, queries, tile.firstPart + p, part, own);
      kernels().mergeParts(tile.numTokens * tile.numHeads, batch.paddedHeadSize, total, part);
    }
    finishTile(batch, tile, total, output);
  });
}

// Few tiles over long caches: workers share the parts, which are then merged in the same order as above. Only so many parts are
// in flight as keep the workers busy, because each needs a state of its own.
void attendSplitTiles(OpContext& op, const AttentionBatch& batch, const Tile* tiles, size_t numTiles, const float* queries, float* output) {
  constexpr size_t kPartsPerWorker = 16;
  size_t numParts = 0;
  for (size_t i = 0; i < numTiles; i++) numParts += tiles[i].numParts;
  const StateLayout layout = layoutOf(batch, tiles, numTiles);
  const size_t workerBytes = roundUp(kernels().attentionScratchBytes(layout.numRows, batch.paddedHeadSize));
  const size_t workers = OpContext::numWorkers(numParts), inFlight = workers * kPartsPerWorker;
  const Scratch states((inFlight + 1) * layout.bytes()), memory(workers * workerBytes);
  if (states.get() == nullptr || memory.get() == nullptr) return op.fail("no memory for attention");
  const auto state = [&](size_t index) { return layout.at(states.get() + index * layout.bytes()); };
  uint8_t* const totalMemory = states.get() + inFlight * layout.bytes();
  AttentionState total = layout.clear(totalMemory);
  for (size_t first = 0, tile = 0, merged = 0; first < numParts; first += inFlight) {
    const size_t count = numParts - first < inFlight ? numParts - first : inFlight;
    const size_t firstTile = tile, firstPart = merged;  // where the parts of this round begin
    op.parallel(count, [&](size_t worker, size_t item) {
      size_t index = firstTile, part = firstPart + item;
      for (; part >= tiles[index].numParts; index++) part -= tiles[index].numParts;
      attendTilePart(batch, tiles[index], queries, tiles[index].firstPart + part, state(item), memory.get() + worker * workerBytes);
    });
    for (size_t item = 0; item < count; item++) {
      kernels().mergeParts(tiles[tile].numTokens * tiles[tile].numHeads, batch.paddedHeadSize, total, state(item));
      if (++merged < tiles[tile].numParts) continue;
      finishTile(batch, tiles[tile++], total, output);
      total = layout.clear(totalMemory);
      merged = 0;
    }
  }
}

}  // namespace

void attend(OpContext& op, const AttentionBatch& batch, const float* queries, float* output) {
  const TilePlan plan = planTiles(batch);
  const size_t numTiles = listTiles(batch, plan, nullptr);
  const Scratch memory(numTiles * sizeof(Tile));
  if (memory.get() == nullptr) return op.fail("no memory for %zu tiles", numTiles);
  Tile* tiles = reinterpret_cast<Tile*>(memory.get());
  listTiles(batch, plan, tiles);
  constexpr size_t kTilesPerWorker = 4;  // fewer would leave workers idle at the end
  if (numTiles >= OpContext::numWorkers(SIZE_MAX) * kTilesPerWorker) {
    attendWholeTiles(op, batch, tiles, numTiles, queries, output);
  } else {
    attendSplitTiles(op, batch, tiles, numTiles, queries, output);
  }
}

}  // namespace tars
