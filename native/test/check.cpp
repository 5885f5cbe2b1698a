// Checks the operators on random shapes and values on every instruction set of the processor: products of every weight type and
// attention against sums in double precision, a token alone against the same token in its batch, and hostile inputs, which must
// end in an error and never in a read outside a tensor. Meant for sanitizers and emulators.
// Usage: tars_ops_check [cases] [first case] [isa]. A case is reproducible from its number alone.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

#include "../ops/op.h"
#include "fake_runtime.h"
#include "tars/kernels.h"

namespace {

using Attributes = std::map<std::string, Attribute>;

const char* const kTypeNames[] = {"f32",  "f16",  "bf16", "q4_0", "q4_1", "q5_0",   "q5_1",   "q8_0",
                                  "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs", "mxfp4"};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // Both ends included.
  int64_t integer(int64_t from, int64_t to) { return std::uniform_int_distribution<int64_t>(from, to)(engine_); }
  bool chance(double share) { return std::uniform_real_distribution<double>(0, 1)(engine_) < share; }
  // In (-1, 1), a few ten times larger, as activations are.
  float value() {
    const float x = static_cast<float>(std::uniform_real_distribution<double>(-1, 1)(engine_));
    return chance(0.02) ? 10 * x : x;
  }
  uint8_t byte() { return static_cast<uint8_t>(engine_()); }
  // A half between 2^-7 and 1 of either sign.
  uint16_t half() { return static_cast<uint16_t>((chance(0.5) ? 0x8000 : 0) | integer(0x2000, 0x3bff)); }

 private:
  std::mt19937_64 engine_;
};

struct Failure {
  std::string text;
};

[[noreturn]] void fail(const std::string& text) { throw Failure{text}; }

Value floats(Random& random, std::vector<int64_t> shape) {
  Value value = std::make_unique<OrtValue>(kOrtFloat, std::move(shape));
  for (size_t i = 0; i < value->numElements(); i++) value->as<float>()[i] = random.value();
  return value;
}

// Any bits, but for factors and floats, which are of an ordinary size. Rows that only pad the last group are random as well.
Value packedWeights(Random& random, tars::WeightType type, size_t numGroups, size_t numCols) {
  const tars::WeightTypeInfo& info = tars::weightTypeInfo(type);
  Value value = std::make_unique<OrtValue>(kOrtUint8, std::vector<int64_t>{static_cast<int64_t>(numGroups * tars::groupBytes(type, numCols))});
  uint8_t* bytes = value->as<uint8_t>();
  const size_t size = value->numBytes();
  const auto putHalf = [&](size_t at) {
    const uint16_t half = random.half();
    std::memcpy(bytes + at, &half, 2);
  };
  if (info.elementBytes == 4) {
    for (size_t i = 0; i < size / 4; i++) value->as<float>()[i] = random.value();
    return value;
  }
  if (info.elementBytes == 2) {
    for (size_t i = 0; i < size; i += 2) putHalf(i);  // as bfloats these lie between 2^-63 and 0.02
    return value;
  }
  for (size_t i = 0; i < size; i++) bytes[i] = random.byte();
  const size_t groupBytes = tars::groupBytes(type, numCols);
  const size_t tileBytes = info.headerBytes + info.tileColumns / tars::kBlockColumns * info.blockCodeBytes;
  for (size_t group = 0; group < size; group += groupBytes) {
    for (size_t tile = group; tile < group + groupBytes; tile += tileBytes) {
      const bool isExponent = info.factors == tars::FactorKind::kExponent;
      const size_t numHalves = isExponent ? 0 : (info.tileColumns == 256 ? 64 : info.headerBytes) / 2;
      for (size_t i = 0; i < numHalves; i++) putHalf(tile + 2 * i);
      for (size_t i = 0; isExponent && i < info.headerBytes; i++) bytes[tile + i] = static_cast<uint8_t>(random.integer(118, 129));
    }
  }
  return value;
}

// Row-major values of packed weights through Gather, whose results are checked against the gguf package elsewhere.
std::vector<float> unpack(const char* type, const OrtValue& packed, size_t numRows, size_t numCols) {
  OrtValue ids(kOrtInt64, {static_cast<int64_t>(numRows)});
  for (size_t i = 0; i < numRows; i++) ids.as<int64_t>()[i] = static_cast<int64_t>(i);
  const Attributes attributes = {{"N", static_cast<int64_t>(numRows)}, {"K", static_cast<int64_t>(numCols)}, {"type", std::string(type)}};
  const fake::Result result = fake::run(tars::gatherOp(), attributes, {&ids, &packed});
  if (!result.error.empty()) fail("Gather: " + result.error);
  const float* values = result.output->as<float>();
  return std::vector<float>(values, values + numRows * numCols);
}

// What quantised weights see of activations: codes of 8 bits times a scale per block of 32.
std::vector<float> roundedActivations(const OrtValue& activations) {
  std::vector<float> rounded(activations.numElements());
  const float* x = activations.as<float>();
  for (size_t block = 0; block < rounded.size(); block += tars::kBlockColumns) {
    float largest = 0;
    for (size_t i = 0; i < tars::kBlockColumns; i++) largest = std::max(largest, std::fabs(x[block + i]));
    const float scale = largest / 127.0f, factor = largest > 0 ? 127.0f / largest : 0.0f;
    for (size_t i = 0; i < tars::kBlockColumns; i++) rounded[block + i] = scale * std::nearbyint(x[block + i] * factor);
  }
  return rounded;
}

// [tokens, rows] each; a right result is within kTolerance of its magnitude.
struct Sums {
  std::vector<double> value, magnitude;
};

// Rounding of sums in single precision, as a share of the sum of magnitudes.
constexpr double kTolerance = 2e-6;

// With two planes an activation is off by at most its block's largest value / (127 * 2 * 127 * 2).
std::vector<double> roundingOfPlanes(const std::vector<float>& activations) {
  std::vector<double> rounding(activations.size());
  for (size_t block = 0; block < rounding.size(); block += tars::kBlockColumns) {
    float largest = 0;
    for (size_t i = 0; i < tars::kBlockColumns; i++) largest = std::max(largest, std::fabs(activations[block + i]));
    for (size_t i = 0; i < tars::kBlockColumns; i++) rounding[block + i] = largest / (127.0 * 2 * 127 * 2);
  }
  return rounding;
}

Sums product(const std::vector<float>& activations, const std::vector<double>& rounding, const std::vector<float>& weights, size_t numTokens, size_t numRows,
             size_t numCols) {
  Sums sums = {std::vector<double>(numTokens * numRows), std::vector<double>(numTokens * numRows)};
  for (size_t t = 0; t < numTokens; t++) {
    for (size_t r = 0; r < numRows; r++) {
      double sum = 0, magnitude = 0;
      for (size_t c = 0; c < numCols; c++) {
        const double term = static_cast<double>(activations[t * numCols + c]) * weights[r * numCols + c];
        sum += term;
        magnitude += std::fabs(term) + 1.05 / kTolerance * rounding[t * numCols + c] * std::fabs(weights[r * numCols + c]);
      }
      sums.value[t * numRows + r] = sum;
      sums.magnitude[t * numRows + r] = magnitude;
    }
  }
  return sums;
}

void expectNear(const float* actual, const std::vector<double>& expected, const std::vector<double>& bounds, double tolerance, const std::string& what) {
  for (size_t i = 0; i < expected.size(); i++) {
    const double error = std::fabs(actual[i] - expected[i]);
    if (!(error <= tolerance * bounds[i] + 1e-30)) {
      char text[200];
      std::snprintf(text, sizeof(text), "%s: value %zu is %.9g instead of %.9g (bound %.3g)", what.c_str(), i, static_cast<double>(actual[i]), expected[i], tolerance * bounds[i]);
      fail(text);
    }
  }
}

double activate(bool isSilu, double x) {
  return isSilu ? x / (1 + std::exp(-x)) : 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

// The last rows of a value, as a tensor of their own.
Value lastRow(const OrtValue& value) {
  const int64_t width = value.info.shape[1];
  Value row = std::make_unique<OrtValue>(kOrtFloat, std::vector<int64_t>{1, width});
  std::memcpy(row->as<float>(), value.as<float>() + value.numElements() - static_cast<size_t>(width), row->numBytes());
  return row;
}

void checkProduct(Random& random, const std::vector<const char*>& sets) {
  const char* name = kTypeNames[random.integer(0, static_cast<int64_t>(std::size(kTypeNames)) - 1)];
  tars::WeightType type;
  tars::parseWeightType(name, &type);
  const bool isQuantised = tars::isQuantised(type);
  const size_t multiple = isQuantised ? tars::weightTypeInfo(type).rowMultiple() : 1;
  const size_t numCols = multiple * static_cast<size_t>(random.integer(1, std::max<int64_t>(2, 640 / static_cast<int64_t>(multiple))));
  const size_t numRows = static_cast<size_t>(random.integer(1, random.chance(0.1) ? 200 : 50));
  const size_t numTokens = static_cast<size_t>(random.integer(0, random.chance(0.1) ? 40 : 9));
  const bool isGated = random.chance(0.25), isSilu = random.chance(0.5), is16 = isQuantised && random.chance(0.3);
  const bool hasBias = !isGated && random.chance(0.4), hasResidual = !isGated && random.chance(0.4);
  const int64_t rows = static_cast<int64_t>(numRows), cols = static_cast<int64_t>(numCols), tokens = static_cast<int64_t>(numTokens);

  const size_t numGroups = (numRows + tars::kGroupRows - 1) / tars::kGroupRows;
  const Value weights = packedWeights(random, type, isGated ? 2 * numGroups : numGroups, numCols);
  const Value activations = floats(random, {tokens, cols}), bias = floats(random, {rows}), residual = floats(random, {tokens, rows});

  std::vector<float> exact(activations->as<float>(), activations->as<float>() + activations->numElements());
  const std::vector<float> seen = isQuantised && !is16 ? roundedActivations(*activations) : exact;
  // Alternating groups of gate and up unpack as one matrix of twice the groups.
  const size_t unpackedRows = isGated ? 2 * numGroups * tars::kGroupRows : numRows;
  const std::vector<float> values = unpack(name, *weights, unpackedRows, numCols);
  const std::vector<double> rounding = is16 ? roundingOfPlanes(exact) : std::vector<double>(exact.size());
  Sums sums = product(seen, rounding, values, numTokens, unpackedRows, numCols);
  if (isGated) {
    Sums gated = {std::vector<double>(numTokens * numRows), std::vector<double>(numTokens * numRows)};
    for (size_t t = 0; t < numTokens; t++) {
      for (size_t r = 0; r < numRows; r++) {
        const size_t gate = t * unpackedRows + r / tars::kGroupRows * 2 * tars::kGroupRows + r % tars::kGroupRows, up = gate + tars::kGroupRows;
        gated.value[t * numRows + r] = activate(isSilu, sums.value[gate]) * sums.value[up];
        gated.magnitude[t * numRows + r] = (sums.magnitude[gate] + 1) * (sums.magnitude[up] + 1);
      }
    }
    sums = gated;
  }
  for (size_t i = 0; i < sums.value.size(); i++) {
    const double extra = (hasBias ? bias->as<float>()[i % numRows] : 0.0) + (hasResidual ? residual->as<float>()[i] : 0.0);
    sums.value[i] += extra;
    sums.magnitude[i] += std::fabs(extra) + (hasBias || hasResidual ? 20 : 0);
  }

  Attributes attributes = {{"N", rows}, {"K", cols}, {"type", std::string(name)}, {"activation_bits", static_cast<int64_t>(is16 ? 16 : 8)}};
  if (isGated) attributes["activation"] = std::string(isSilu ? "silu" : "gelu_tanh");
  const OrtCustomOp* op = isGated ? tars::gatedMatMulOp() : tars::matMulOp();
  for (const char* set : sets) {
    tars::selectKernels(set);
    char label[160];
    std::snprintf(label, sizeof(label), "%s %s %s%s, %zu x %zu, %zu tokens", set, isGated ? "GatedMatMul" : "MatMul", name, is16 ? ", 16 bits" : "", numRows, numCols, numTokens);
    const auto run = [&](const OrtValue* a, const OrtValue* r) {
      fake::Result result = fake::run(op, attributes, {a, weights.get(), hasBias ? bias.get() : nullptr, hasResidual ? r : nullptr});
      if (!result.error.empty()) fail(std::string(label) + ": " + result.error);
      return result;
    };
    const fake::Result whole = run(activations.get(), residual.get());
    expectNear(whole.output->as<float>(), sums.value, sums.magnitude, kTolerance, label);
    if (numTokens == 0) continue;
    const Value lastActivations = lastRow(*activations), lastResidual = lastRow(*residual);
    const fake::Result alone = run(lastActivations.get(), lastResidual.get());
    const float* inBatch = whole.output->as<float>() + (numTokens - 1) * numRows;
    if (std::memcmp(alone.output->as<float>(), inBatch, numRows * sizeof(float)) != 0) fail(std::string(label) + ": the last token alone gives other bits");
  }
}

float halfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const float magnitude = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24) : std::ldexp(1024.0f + static_cast<float>(fraction), exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

// A ragged batch over a paged cache with random settings; inputs in the order of the operator.
struct AttentionCase {
  int64_t numHeads, numKvHeads, headSize, blockSize, window, rotaryHalf, numSequences, numTokens, blocksPerSequence, numBlocks;
  tars::CacheType cacheType;
  bool isCausal, isPacked, isInterleaved, hasNorms, hasSinks;
  float softcap, scale;
  Attributes attributes;
  std::vector<Value> inputs;

  std::vector<const OrtValue*> pointers() const {
    std::vector<const OrtValue*> all;
    for (const Value& input : inputs) all.push_back(input.get());
    return all;
  }
  const int32_t* cumulative() const { return inputs[5]->as<int32_t>(); }
  const int32_t* past() const { return inputs[6]->as<int32_t>(); }
  double cached(bool isKey, int64_t sequence, int64_t position, int64_t kvHead, int64_t i) const {
    const int64_t block = inputs[7]->as<int32_t>()[sequence * blocksPerSequence + position / blockSize];
    const size_t rowBytes = tars::cacheRowBytes(cacheType, static_cast<size_t>(headSize));
    const size_t rowNumber = static_cast<size_t>((block * blockSize + position % blockSize) * numKvHeads + kvHead);
    const uint8_t* row = inputs[isKey ? 3 : 4]->as<uint8_t>() + rowNumber * rowBytes;
    const size_t at = static_cast<size_t>(i);
    const auto half = [row](size_t offset) {
      uint16_t bits;
      std::memcpy(&bits, row + offset, 2);
      return static_cast<double>(halfToFloat(bits));
    };
    switch (cacheType) {
      case tars::CacheType::kF32: {
        float value;
        std::memcpy(&value, row + 4 * at, 4);
        return value;
      }
      case tars::CacheType::kF16: return half(2 * at);
      case tars::CacheType::kQ8_0: return static_cast<int8_t>(row[at]) * half(static_cast<size_t>(headSize) + at / 32 * 2);
      case tars::CacheType::kQ4_0: {
        const int code = row[at / 32 * 16 + at % 16] >> (at % 32 < 16 ? 0 : 4) & 15;
        return (code - 8) * half(static_cast<size_t>(headSize) / 2 + at / 32 * 2);
      }
    }
    return 0;
  }
  // How far a cached value may be from the one that was stored, as a share of the largest of its block.
  double cacheTolerance() const {
    switch (cacheType) {
      case tars::CacheType::kF32: return 1e-5;
      case tars::CacheType::kF16: return 1.0 / 1024;
      case tars::CacheType::kQ8_0: return 0.5 / 127 + 1.0 / 1024;
      case tars::CacheType::kQ4_0: return 1.01 / 8;  // the end of the range that is not the extreme has one step less
    }
    return 0;
  }
  // Row `token` of query, key or value (part 0, 1, 2).
  const float* projected(int part, int64_t token, int64_t head) const {
    const int64_t queryWidth = numHeads * headSize, keyWidth = numKvHeads * headSize;
    if (isPacked) return inputs[0]->as<float>() + token * (queryWidth + 2 * keyWidth) + (part == 0 ? 0 : queryWidth + (part - 1) * keyWidth) + head * headSize;
    return inputs[static_cast<size_t>(part)]->as<float>() + token * (part == 0 ? queryWidth : keyWidth) + head * headSize;
  }
};

AttentionCase attentionCase(Random& random) {
  AttentionCase test = {};
  test.numKvHeads = random.integer(1, 3);
  test.numHeads = test.numKvHeads * random.integer(1, random.chance(0.1) ? 20 : 4);
  test.cacheType = static_cast<tars::CacheType>(random.integer(0, 3));
  const bool isBytes = test.cacheType == tars::CacheType::kQ8_0 || test.cacheType == tars::CacheType::kQ4_0;
  test.headSize = isBytes ? 32 * random.integer(1, 4) : random.chance(0.5) ? 16 * random.integer(1, 6) : random.integer(1, 70);
  test.blockSize = random.chance(0.5) ? 16 : random.integer(1, 40);
  test.isCausal = random.chance(0.85);
  test.isPacked = random.chance(0.4);
  test.isInterleaved = random.chance(0.3);
  test.hasNorms = random.chance(0.3);
  test.hasSinks = random.chance(0.3);
  test.window = test.isCausal && random.chance(0.3) ? random.integer(1, 60) : -1;
  test.rotaryHalf = random.chance(0.7) ? random.integer(0, test.headSize / 2) : -1;
  test.softcap = random.chance(0.2) ? 5.0f : 0.0f;
  test.scale = random.chance(0.3) ? 0.2f : 0.0f;
  test.numSequences = random.integer(1, 4);

  std::vector<int32_t> past, cumulative = {0};
  int64_t longest = 1;
  for (int64_t s = 0; s < test.numSequences; s++) {
    past.push_back(static_cast<int32_t>(random.integer(0, random.chance(0.1) ? 600 : 40)));
    const int64_t added = random.chance(0.4) ? 1 : random.integer(0, random.chance(0.1) ? 150 : 20);
    cumulative.push_back(cumulative.back() + static_cast<int32_t>(added));
    longest = std::max<int64_t>(longest, past.back() + added);
  }
  test.numTokens = cumulative.back();
  test.blocksPerSequence = (longest + test.blockSize - 1) / test.blockSize + random.integer(0, 2);
  test.numBlocks = test.numSequences * test.blocksPerSequence;
  std::vector<int32_t> blocks(static_cast<size_t>(test.numBlocks));
  for (size_t i = 0; i < blocks.size(); i++) blocks[i] = static_cast<int32_t>(i);
  for (size_t i = blocks.size(); i > 1; i--) std::swap(blocks[i - 1], blocks[static_cast<size_t>(random.integer(0, static_cast<int64_t>(i) - 1))]);

  const auto integers = [](std::vector<int64_t> shape, const std::vector<int32_t>& data) {
    Value value = std::make_unique<OrtValue>(kOrtInt32, std::move(shape));
    std::memcpy(value->as<int32_t>(), data.data(), value->numBytes());
    return value;
  };
  const auto cache = [&] {
    const size_t rowBytes = tars::cacheRowBytes(test.cacheType, static_cast<size_t>(test.headSize));
    const std::vector<int64_t> shape = {test.numBlocks, test.blockSize, test.numKvHeads, isBytes ? static_cast<int64_t>(rowBytes) : test.headSize};
    if (test.cacheType == tars::CacheType::kF32) return floats(random, shape);
    Value value = std::make_unique<OrtValue>(isBytes ? kOrtUint8 : kOrtFloat16, shape);
    const size_t codeBytes = rowBytes - (isBytes ? static_cast<size_t>(test.headSize) / 32 * 2 : rowBytes);
    for (size_t i = 0; i < value->numBytes(); i += 2) {
      // Small halves keep the values of 8-bit codes ordinary too.
      const uint16_t bits = isBytes && i % rowBytes >= codeBytes ? static_cast<uint16_t>(random.integer(0x1000, 0x2400)) : isBytes ? static_cast<uint16_t>(random.byte() << 8 | random.byte()) : random.half();
      std::memcpy(value->as<uint8_t>() + i, &bits, 2);
    }
    return value;
  };
  const int64_t queryWidth = test.numHeads * test.headSize, keyWidth = test.numKvHeads * test.headSize;
  test.inputs.resize(14);
  test.inputs[0] = floats(random, {test.numTokens, test.isPacked ? queryWidth + 2 * keyWidth : queryWidth});
  if (!test.isPacked) {
    test.inputs[1] = floats(random, {test.numTokens, keyWidth});
    test.inputs[2] = floats(random, {test.numTokens, keyWidth});
  }
  test.inputs[3] = cache();
  test.inputs[4] = cache();
  test.inputs[5] = integers({test.numSequences + 1}, cumulative);
  test.inputs[6] = integers({test.numSequences}, past);
  test.inputs[7] = integers({test.numSequences, test.blocksPerSequence}, blocks);
  if (test.rotaryHalf >= 0) {
    for (size_t i = 8; i < 10; i++) test.inputs[i] = floats(random, {longest, test.rotaryHalf});
  }
  if (test.hasSinks) test.inputs[11] = floats(random, {test.numHeads});
  if (test.hasNorms) {
    for (size_t i = 12; i < 14; i++) test.inputs[i] = floats(random, {test.headSize});
  }
  test.attributes = {{"num_heads", test.numHeads}, {"kv_num_heads", test.numKvHeads}, {"local_window_size", test.window},
                     {"is_causal", static_cast<int64_t>(test.isCausal)}, {"do_rotary", static_cast<int64_t>(test.rotaryHalf >= 0)},
                     {"rotary_interleaved", static_cast<int64_t>(test.isInterleaved)}, {"softcap", test.softcap}, {"scale", test.scale},
                     {"qk_norm_epsilon", 1e-5f}};
  if (isBytes) {
    test.attributes["head_size"] = test.headSize;
    test.attributes["cache_type"] = std::string(test.cacheType == tars::CacheType::kQ8_0 ? "q8_0" : "q4_0");
  }
  return test;
}

// Norm and rotation of one head at a position.
std::vector<double> preparedHead(const AttentionCase& test, const float* head, const OrtValue* norm, int64_t position) {
  std::vector<double> x(head, head + test.headSize);
  if (test.hasNorms) {
    double sum = 0;
    for (const double value : x) sum += value * value;
    const double factor = 1 / std::sqrt(sum / static_cast<double>(test.headSize) + 1e-5);
    for (size_t i = 0; i < x.size(); i++) x[i] *= factor * norm->as<float>()[i];
  }
  for (int64_t i = 0; i < test.rotaryHalf; i++) {
    const size_t first = static_cast<size_t>(test.isInterleaved ? 2 * i : i), second = static_cast<size_t>(test.isInterleaved ? 2 * i + 1 : i + test.rotaryHalf);
    const double cosine = test.inputs[8]->as<float>()[position * test.rotaryHalf + i], sine = test.inputs[9]->as<float>()[position * test.rotaryHalf + i];
    const double a = x[first], b = x[second];
    x[first] = a * cosine - b * sine;
    x[second] = b * cosine + a * sine;
  }
  return x;
}

// Attention by its definition over what the cache holds after the run; the cache itself is checked against the new keys.
void compareAttention(const AttentionCase& test, const float* output, const std::string& label) {
  for (int64_t s = 0; s < test.numSequences; s++) {
    const int64_t first = test.cumulative()[s], total = test.past()[s] + test.cumulative()[s + 1] - first;
    for (int64_t token = first; token < test.cumulative()[s + 1]; token++) {
      const int64_t position = test.past()[s] + token - first;
      for (int64_t h = 0; h < test.numKvHeads; h++) {
        const std::vector<double> key = preparedHead(test, test.projected(1, token, h), test.inputs[13].get(), position);
        const float* value = test.projected(2, token, h);
        for (const bool isKey : {true, false}) {
          const auto expected = [&](int64_t i) { return isKey ? key[static_cast<size_t>(i)] : static_cast<double>(value[i]); };
          for (int64_t i = 0; i < test.headSize; i++) {
            double largest = 0;
            for (int64_t j = i / 32 * 32; j < std::min(i / 32 * 32 + 32, test.headSize); j++) largest = std::max(largest, std::fabs(expected(j)));
            if (std::fabs(test.cached(isKey, s, position, h, i) - expected(i)) > test.cacheTolerance() * largest + 1e-5) {
              fail(label + ": the cache does not hold a new key or value");
            }
          }
        }
      }
      const int64_t begin = test.window > 0 ? std::max<int64_t>(0, position - test.window + 1) : 0, end = test.isCausal ? position + 1 : total;
      for (int64_t h = 0; h < test.numHeads; h++) {
        const int64_t kvHead = h / (test.numHeads / test.numKvHeads);
        const std::vector<double> query = preparedHead(test, test.projected(0, token, h), test.inputs[12].get(), position);
        const double scale = test.scale > 0 ? test.scale : 1 / std::sqrt(static_cast<double>(test.headSize));
        std::vector<double> scores;
        double largest = test.hasSinks ? test.inputs[11]->as<float>()[h] : -std::numeric_limits<double>::infinity();
        for (int64_t p = begin; p < end; p++) {
          double score = 0;
          for (int64_t i = 0; i < test.headSize; i++) score += query[static_cast<size_t>(i)] * test.cached(true, s, p, kvHead, i);
          score *= scale;
          if (test.softcap > 0) score = test.softcap * std::tanh(score / test.softcap);
          scores.push_back(score);
          largest = std::max(largest, score);
        }
        double sum = test.hasSinks ? std::exp(test.inputs[11]->as<float>()[h] - largest) : 0;
        std::vector<double> result(static_cast<size_t>(test.headSize)), bounds(result.size(), 10.0);
        for (size_t j = 0; j < scores.size(); j++) {
          const double weight = std::exp(scores[j] - largest);
          sum += weight;
          for (size_t i = 0; i < result.size(); i++) result[i] += weight * test.cached(false, s, begin + static_cast<int64_t>(j), kvHead, static_cast<int64_t>(i));
        }
        for (double& x : result) x /= sum;
        expectNear(output + (token * test.numHeads + h) * test.headSize, result, bounds, 1e-5, label);
      }
    }
  }
}

void checkAttention(Random& random, const std::vector<const char*>& sets) {
  AttentionCase test = attentionCase(random);
  for (const char* set : sets) {
    tars::selectKernels(set);
    char label[160];
    std::snprintf(label, sizeof(label), "%s PagedAttention, %lld heads on %lld of %lld, %lld tokens", set, static_cast<long long>(test.numHeads),
                  static_cast<long long>(test.numKvHeads), static_cast<long long>(test.headSize), static_cast<long long>(test.numTokens));
    const fake::Result result = fake::run(tars::pagedAttentionOp(), test.attributes, test.pointers());
    if (!result.error.empty()) fail(std::string(label) + ": " + result.error);
    compareAttention(test, result.output->as<float>(), label);
  }
}

int32_t hostileInteger(Random& random) {
  switch (random.integer(0, 5)) {
    case 0: return std::numeric_limits<int32_t>::min();
    case 1: return std::numeric_limits<int32_t>::max();
    case 2: return -1;
    case 3: return static_cast<int32_t>(random.integer(-1000, 1000));
    default: return static_cast<int32_t>(random.integer(-3, 80));
  }
}

// Changes one or more lengths, blocks, shapes or attributes of a good case. Any answer is right but a read outside a tensor.
bool hostileAttention(Random& random) {
  AttentionCase test = attentionCase(random);
  const int64_t numChanges = random.integer(1, 3);
  for (int64_t change = 0; change < numChanges; change++) {
    if (random.chance(0.6)) {
      const Value& input = test.inputs[static_cast<size_t>(random.integer(5, 7))];
      if (input->numElements() > 0) input->as<int32_t>()[random.integer(0, static_cast<int64_t>(input->numElements()) - 1)] = hostileInteger(random);
    } else if (random.chance(0.7)) {
      Value& input = test.inputs[static_cast<size_t>(random.integer(0, 13))];
      if (input == nullptr) continue;
      std::vector<int64_t> shape = input->info.shape;
      const size_t axis = static_cast<size_t>(random.integer(0, static_cast<int64_t>(shape.size()) - 1));
      if (random.chance(0.2)) shape.erase(shape.begin() + static_cast<int64_t>(axis));
      else shape[axis] = std::max<int64_t>(0, shape[axis] + random.integer(-2, 2));
      const OrtElementType type = random.chance(0.1) ? kOrtUint8 : static_cast<OrtElementType>(input->info.type);
      input = std::make_unique<OrtValue>(type, shape);
      std::memset(input->as<void>(), 0, input->numBytes());
    } else {
      const char* const names[] = {"num_heads", "kv_num_heads", "local_window_size", "is_causal", "do_rotary", "head_size"};
      test.attributes[names[random.integer(0, 5)]] = random.integer(-2, 40);
    }
  }
  return fake::run(tars::pagedAttentionOp(), test.attributes, test.pointers()).error.empty();
}

bool hostileProduct(Random& random) {
  const char* name = kTypeNames[random.integer(0, static_cast<int64_t>(std::size(kTypeNames)) - 1)];
  tars::WeightType type;
  tars::parseWeightType(name, &type);
  const int64_t cols = random.chance(0.7) ? 256 * random.integer(1, 2) : random.integer(1, 300), rows = random.integer(1, 40), tokens = random.integer(0, 5);
  const int64_t wrong = random.chance(0.5) ? random.integer(-2, 2) : 0, wrongBytes = random.chance(0.5) ? random.integer(-70, 70) : 0;
  const int64_t bytes = std::max<int64_t>(0, (rows + 15) / 16 * static_cast<int64_t>(tars::groupBytes(type, static_cast<size_t>(cols))) + wrongBytes);
  OrtValue weights(kOrtUint8, {bytes});
  std::memset(weights.as<void>(), 0, weights.numBytes());
  Attributes attributes = {{"N", rows}, {"K", cols}, {"type", std::string(random.chance(0.05) ? "q9_9" : name)}, {"activation_bits", random.chance(0.1) ? random.integer(0, 40) : 8}};
  if (random.chance(0.5)) {
    OrtValue ids(kOrtInt64, {tokens});
    for (int64_t i = 0; i < tokens; i++) ids.as<int64_t>()[i] = random.chance(0.2) ? static_cast<int64_t>(hostileInteger(random)) * (int64_t{1} << random.integer(0, 31)) : random.integer(0, rows - 1);
    return fake::run(tars::gatherOp(), attributes, {&ids, &weights}).error.empty();
  }
  const Value activations = floats(random, {tokens, std::max<int64_t>(0, cols + wrong)}), bias = floats(random, {rows + (random.chance(0.2) ? 1 : 0)});
  const Value residual = floats(random, {tokens + (random.chance(0.2) ? 1 : 0), rows});
  return fake::run(tars::matMulOp(), attributes, {activations.get(), &weights, random.chance(0.3) ? bias.get() : nullptr, random.chance(0.3) ? residual.get() : nullptr}).error.empty();
}

}  // namespace

int main(int argc, char** argv) {
  const long cases = argc > 1 ? std::atol(argv[1]) : 10000, firstCase = argc > 2 ? std::atol(argv[2]) : 0;
  std::vector<const char*> sets;
  for (const char* name : {"avx512vnni", "avx512", "avx2", "neon", "plain"}) {
    if ((argc <= 3 || std::strcmp(argv[3], name) == 0) && tars::selectKernels(name)) sets.push_back(name);
  }
  if (sets.empty()) {
    std::printf("this processor has no %s\n", argv[3]);
    return 1;
  }
  long numProducts = 0, numAttentions = 0, numRefused = 0, numAccepted = 0;
  for (long number = firstCase; number < firstCase + cases; number++) {
    Random random(static_cast<uint64_t>(number) * 0x9e3779b97f4a7c15ull + 1);
    try {
      const int64_t kind = random.integer(0, 9);
      if (kind < 6) {
        checkProduct(random, sets);
        numProducts++;
      } else if (kind < 8) {
        checkAttention(random, sets);
        numAttentions++;
      } else {
        tars::selectKernels(sets[static_cast<size_t>(random.integer(0, static_cast<int64_t>(sets.size()) - 1))]);
        const bool isAccepted = kind == 8 ? hostileAttention(random) : hostileProduct(random);
        (isAccepted ? numAccepted : numRefused)++;
      }
    } catch (const Failure& failure) {
      std::printf("case %ld: %s\n", number, failure.text.c_str());
      return 1;
    }
  }
  std::printf("right on");
  for (const char* set : sets) std::printf(" %s", set);
  std::printf(": %ld products, %ld attentions; hostile inputs: %ld refused, %ld harmless\n", numProducts, numAttentions, numRefused, numAccepted);
  return 0;
}
