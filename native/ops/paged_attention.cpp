// PagedAttention: the signature of com.microsoft.PagedAttention for the CPU, with f32 activations and a cache that is updated in
// place: f16, f32, or bytes in the rows of `cache_type` ("q8_0" or "q4_0") for heads of `head_size`. Inputs 10 (slot_mapping), 14
// and 15 (scales of a cache that is scaled as a whole) are refused when given; input 16 (attention_metadata) only helps launches
// on a GPU and is ignored.
#include "paged_attention.h"

#include <math.h>

namespace tars {

namespace {

enum Input : size_t {
  kQuery, kKey, kValue, kKeyCache, kValueCache, kCumulativeLengths, kPastLengths, kBlockTable, kCosines, kSines, kSlotMapping,
  kSinks, kQueryNorm, kKeyNorm, kKeyScale, kValueScale, kMetadata,
};

struct PagedAttention {
  static constexpr const char* kName = "PagedAttention";
  static constexpr InputSpec kInputs[] = {
      {kOrtFloat, kOrtRequired},     {kOrtFloat, kOrtOptional},     {kOrtFloat, kOrtOptional}, {kOrtUndefined, kOrtRequired},
      {kOrtUndefined, kOrtRequired}, {kOrtInt32, kOrtRequired},     {kOrtInt32, kOrtRequired}, {kOrtInt32, kOrtRequired},
      {kOrtFloat, kOrtOptional},     {kOrtFloat, kOrtOptional},     {kOrtInt32, kOrtOptional}, {kOrtFloat, kOrtOptional},
      {kOrtFloat, kOrtOptional},     {kOrtFloat, kOrtOptional},     {kOrtFloat, kOrtOptional}, {kOrtFloat, kOrtOptional},
      {kOrtInt32, kOrtOptional},
  };

  AttentionAttributes attributes = {};

  explicit PagedAttention(AttributeReader& reader) {
    constexpr int64_t kMostHeads = 1 << 16;
    attributes.numHeads = reader.requiredInt("num_heads", 1, kMostHeads);
    attributes.numKvHeads = reader.requiredInt("kv_num_heads", 1, kMostHeads);
    attributes.scale = reader.optionalFloat("scale", 0.0f);
    attributes.softcap = reader.optionalFloat("softcap", 0.0f);
    attributes.window = reader.optionalInt("local_window_size", -1);
    attributes.isCausal = reader.optionalInt("is_causal", 1) != 0;
    attributes.hasRotary = reader.optionalInt("do_rotary", 0) != 0;
    attributes.isInterleaved = reader.optionalInt("rotary_interleaved", 0) != 0;
    attributes.normEpsilon = reader.optionalFloat("qk_norm_epsilon", 1e-6f);
    readCacheType(reader);
    if (attributes.numHeads % attributes.numKvHeads != 0) reader.fail("num_heads is not a multiple of kv_num_heads");
    if (attributes.window != -1 && (attributes.window < 1 || !attributes.isCausal)) {
      reader.fail("local_window_size must be -1, or at least 1 with is_causal = 1");
    }
    if (!(attributes.softcap >= 0) || !(attributes.scale >= 0)) reader.fail("scale and softcap must not be negative");
  }

  void compute(OpContext& op) const {
    AttentionBatch batch = {};
    batch.attributes = attributes;
    readCache(op, &batch);
    readTokens(op, &batch);
    readLengths(op, &batch);
    readBlockTable(op, &batch);
    readRotary(op, &batch);
    batch.sinks = readVector(op, kSinks, "head_sink", attributes.numHeads);
    batch.queryNorm = readVector(op, kQueryNorm, "q_norm_weight", static_cast<int64_t>(batch.headSize));
    batch.keyNorm = readVector(op, kKeyNorm, "k_norm_weight", static_cast<int64_t>(batch.headSize));
    refuse(op, kSlotMapping, "slot_mapping");
    refuse(op, kKeyScale, "k_scale");
    refuse(op, kValueScale, "v_scale");
    const int64_t width = attributes.numHeads * static_cast<int64_t>(batch.headSize);
    float* output = op.output(static_cast<int64_t>(batch.numTokens), width);
    if (op.hasFailed() || batch.numTokens == 0) return;
    batch.scale = attributes.scale > 0 ? attributes.scale : 1.0f / sqrtf(static_cast<float>(batch.headSize));
    const size_t numQueries = batch.numTokens * static_cast<size_t>(attributes.numHeads) * batch.paddedHeadSize;
    const Scratch queries(numQueries * sizeof(float));
    if (queries.get() == nullptr) return op.fail("no memory for %zu tokens", batch.numTokens);
    prepareTokens(op, batch, reinterpret_cast<float*>(queries.get()));
    attend(op, batch, reinterpret_cast<const float*>(queries.get()), output);
  }

 private:
  // head_size is given for a cache of bytes only, whose last dimension does not tell it.
  void readCacheType(AttributeReader& reader) {
    attributes.headSize = reader.optionalInt("head_size", 0);
    if (attributes.headSize == 0) return;
    char name[8];
    reader.requiredString("cache_type", name, sizeof(name));
    if (reader.hasFailed()) return;
    const bool isEight = strcmp(name, "q8_0") == 0;
    if (!isEight && strcmp(name, "q4_0") != 0) return reader.fail("unknown cache_type \"%s\"", name);
    attributes.cacheType = isEight ? CacheType::kQ8_0 : CacheType::kQ4_0;
    const int64_t size = attributes.headSize;
    if (size < 1 || size > static_cast<int64_t>(kMaxHeadSize) || size % static_cast<int64_t>(kBlockColumns) != 0) {
      reader.fail("head_size = %lld is not a multiple of 32 in 32..%zu", static_cast<long long>(size), kMaxHeadSize);
    }
  }

  static void refuse(OpContext& op, size_t index, const char* name) {
    if (op.input(index).isPresent()) op.fail("%s is not supported", name);
  }

  static const float* readVector(OpContext& op, size_t index, const char* name, int64_t size) {
    const Tensor tensor = op.input(index);
    if (!tensor.isPresent()) return nullptr;
    op.expect(name, tensor, kOrtFloat, 1);
    op.expectSize(name, tensor, 0, size);
    return tensor.as<float>();
  }

  void readCache(OpContext& op, AttentionBatch* batch) const {
    const Tensor keys = op.input(kKeyCache), values = op.input(kValueCache);
    if (op.hasFailed()) return;
    const bool isBytes = attributes.headSize > 0;
    if (isBytes ? keys.type != kOrtUint8 : keys.type != kOrtFloat && keys.type != kOrtFloat16) {
      return op.fail("key_cache must be float16 or float32, or bytes with head_size");
    }
    op.expect("key_cache", keys, keys.type, 4);
    op.expect("value_cache", values, keys.type, 4);
    for (size_t axis = 0; axis < 4; axis++) op.expectSize("value_cache", values, axis, keys.shape[axis]);
    op.expectSize("key_cache", keys, 2, attributes.numKvHeads);
    if (op.hasFailed()) return;
    constexpr int64_t kLargestBlock = 1 << 20;  // keeps sums of positions far from overflow; usual sizes are 16 to 512
    if (keys.shape[1] < 1 || keys.shape[1] > kLargestBlock) {
      return op.fail("block size %lld is not in 1..%lld", static_cast<long long>(keys.shape[1]), static_cast<long long>(kLargestBlock));
    }
    if (isBytes) {
      batch->cacheType = attributes.cacheType;
      batch->headSize = static_cast<size_t>(attributes.headSize);
      op.expectSize("key_cache", keys, 3, static_cast<int64_t>(cacheRowBytes(batch->cacheType, batch->headSize)));
      if (op.hasFailed()) return;
    } else if (keys.shape[3] < 1 || keys.shape[3] > static_cast<int64_t>(kMaxHeadSize)) {
      return op.fail("head size %lld is not in 1..%zu", static_cast<long long>(keys.shape[3]), kMaxHeadSize);
    } else {
      batch->cacheType = keys.type == kOrtFloat16 ? CacheType::kF16 : CacheType::kF32;
      batch->headSize = static_cast<size_t>(keys.shape[3]);
    }
    batch->keyCache = keys.as<uint8_t>();
    batch->valueCache = values.as<uint8_t>();
    batch->rowBytes = cacheRowBytes(batch->cacheType, batch->headSize);
    batch->numBlocks = keys.shape[0];
    batch->blockSize = keys.shape[1];
    batch->paddedHeadSize = (batch->headSize + 15) / 16 * 16;
  }

  void readTokens(OpContext& op, AttentionBatch* batch) const {
    const Tensor query = op.input(kQuery), key = op.input(kKey), value = op.input(kValue);
    const int64_t size = static_cast<int64_t>(batch->headSize);
    const int64_t queryWidth = attributes.numHeads * size, keyWidth = attributes.numKvHeads * size;
    const bool isPacked = !key.isPresent() && !value.isPresent();
    op.expect("query", query, kOrtFloat, 2);
    op.expectSize("query", query, 1, isPacked ? queryWidth + 2 * keyWidth : queryWidth);
    if (op.hasFailed()) return;
    batch->numTokens = static_cast<size_t>(query.shape[0]);
    batch->query = query.as<float>();
    batch->queryStride = static_cast<size_t>(query.shape[1]);
    if (isPacked) {
      batch->key = batch->query + queryWidth;
      batch->value = batch->key + keyWidth;
      batch->keyStride = batch->valueStride = batch->queryStride;
      return;
    }
    op.expect("key", key, kOrtFloat, 2);
    op.expect("value", value, kOrtFloat, 2);
    op.expectSize("key", key, 0, query.shape[0]);
    op.expectSize("value", value, 0, query.shape[0]);
    op.expectSize("key", key, 1, keyWidth);
    op.expectSize("value", value, 1, keyWidth);
    batch->key = key.as<float>();
    batch->value = value.as<float>();
    batch->keyStride = batch->valueStride = static_cast<size_t>(keyWidth);
  }

  static void readLengths(OpContext& op, AttentionBatch* batch) {
    const Tensor cumulative = op.input(kCumulativeLengths), past = op.input(kPastLengths);
    op.expect("past_seqlens", past, kOrtInt32, 1);
    op.expect("cumulative_sequence_length", cumulative, kOrtInt32, 1);
    op.expectSize("cumulative_sequence_length", cumulative, 0, past.shape[0] + 1);
    if (op.hasFailed()) return;
    batch->numSequences = static_cast<size_t>(past.shape[0]);
    batch->cumulativeLengths = cumulative.as<int32_t>();
    batch->pastLengths = past.as<int32_t>();
    const int32_t* lengths = batch->cumulativeLengths;
    for (size_t s = 0; s < batch->numSequences; s++) {
      if (lengths[s + 1] < lengths[s]) return op.fail("cumulative_sequence_length falls at sequence %zu", s);
      if (batch->pastLengths[s] < 0) return op.fail("past_seqlens of sequence %zu is negative", s);
    }
    if (lengths[0] != 0 || lengths[batch->numSequences] != static_cast<int64_t>(batch->numTokens)) {
      op.fail("cumulative_sequence_length must go from 0 to %zu tokens", batch->numTokens);
    }
  }

  // Every block that any token reads or writes must exist; blocks before all windows may have been given back.
  static void readBlockTable(OpContext& op, AttentionBatch* batch) {
    const Tensor table = op.input(kBlockTable);
    op.expect("block_table", table, kOrtInt32, 2);
    op.expectSize("block_table", table, 0, static_cast<int64_t>(batch->numSequences));
    if (op.hasFailed()) return;
    batch->blockTable = table.as<int32_t>();
    batch->blocksPerSequence = table.shape[1];
    for (size_t s = 0; s < batch->numSequences; s++) {
      if (batch->newLength(s) == 0) continue;
      const int64_t end = (batch->totalLength(s) + batch->blockSize - 1) / batch->blockSize;
      if (end > batch->blocksPerSequence) {
        return op.fail("sequence %zu has %lld tokens, its block table holds %lld", s, static_cast<long long>(batch->totalLength(s)),
                       static_cast<long long>(batch->blocksPerSequence * batch->blockSize));
      }
      for (int64_t b = batch->visibleBegin(batch->pastLengths[s]) / batch->blockSize; b < end; b++) {
        const int32_t block = batch->blockTable[static_cast<int64_t>(s) * batch->blocksPerSequence + b];
        if (block < 0 || block >= batch->numBlocks) {
          return op.fail("block %d of sequence %zu is not in a cache of %lld blocks", block, s, static_cast<long long>(batch->numBlocks));
        }
      }
    }
  }

  void readRotary(OpContext& op, AttentionBatch* batch) const {
    if (!attributes.hasRotary) return;
    const Tensor cosines = op.input(kCosines), sines = op.input(kSines);
    op.expect("cos_cache", cosines, kOrtFloat, 2);
    op.expect("sin_cache", sines, kOrtFloat, 2);
    op.expectSize("sin_cache", sines, 0, cosines.shape[0]);
    op.expectSize("sin_cache", sines, 1, cosines.shape[1]);
    if (op.hasFailed()) return;
    batch->rotaryHalf = static_cast<size_t>(cosines.shape[1]);
    if (batch->rotaryHalf * 2 > batch->headSize) {
      return op.fail("cos_cache rotates %zu values of heads of %zu", batch->rotaryHalf * 2, batch->headSize);
    }
    for (size_t s = 0; s < batch->numSequences; s++) {
      if (batch->newLength(s) > 0 && batch->totalLength(s) > cosines.shape[0]) {
        return op.fail("sequence %zu has %lld tokens, cos_cache %lld positions", s, static_cast<long long>(batch->totalLength(s)),
                       static_cast<long long>(cosines.shape[0]));
      }
    }
    batch->cosines = cosines.as<float>();
    batch->sines = sines.as<float>();
  }
};

const CustomOp<PagedAttention> kOp;

}  // namespace

const OrtCustomOp* pagedAttentionOp() { return &kOp; }

}  // namespace tars
