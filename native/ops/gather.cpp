// Gather: ids int64 [tokens], packed table uint8 [bytes] of N rows of K -> their values, f32 [tokens, K].
// Attributes: N, K, type.
#include "../kernels/simd/plain.h"
#include "product.h"

namespace tars {

namespace {

float readHalf(const uint8_t* place) {
  uint16_t bits;
  memcpy(&bits, place, 2);
  return plain::halfToFloat(bits);
}

struct Factors {
  float scale, min;
};

// Scale and min of 16 columns of one row; x + -0 is x for every x.
Factors readFactors(FactorKind kind, const uint8_t* tile, size_t block, size_t half, size_t lane) {
  constexpr float kNoMin = -0.0f;
  const uint8_t* first = tile + lane * 2;
  const auto byteAt = [&](size_t index) { return tile[64 + index * kGroupRows + lane]; };
  const auto signedAt = [&](size_t index) { return static_cast<float>(static_cast<int8_t>(byteAt(index))); };
  switch (kind) {
    case FactorKind::kScale: return {readHalf(first + block * 32), kNoMin};
    case FactorKind::kScaleMin: return {readHalf(first + block * 32), readHalf(first + 64 + block * 32)};
    case FactorKind::kSuperScaleMin:
      return {readHalf(first) * static_cast<float>(byteAt(block)), readHalf(first + 32) * static_cast<float>(byteAt(8 + block))};
    case FactorKind::kSuperSigned16: return {readHalf(first) * signedAt(2 * block + half), kNoMin};
    case FactorKind::kSuperNibbles16: {
      const uint8_t both = byteAt(2 * block + half);
      return {readHalf(first) * static_cast<float>(both & 15), readHalf(first + 32) * static_cast<float>(both >> 4)};
    }
    case FactorKind::kSuperSigned32: return {readHalf(first) * signedAt(block), kNoMin};
    case FactorKind::kExponent: return {plain::halvedPower(tile[block * kGroupRows + lane]), kNoMin};
    case FactorKind::kNone: break;
  }
  return {0.0f, kNoMin};
}

// Code of element i of a block of one row.
int readCode(const WeightTypeInfo& info, const uint8_t* codes, size_t i, size_t lane) {
  if (info.codeBits == 8) return codes[i / 4 * 64 + lane * 4 + i % 4];
  const size_t half = i / 16, vector = i % 16 / 4, place = lane * 4 + i % 4;
  const auto oneBit = [&](const uint8_t* plane) { return plane[half * 32 + vector * 8 + place / 8] >> place % 8 & 1; };
  const auto twoBits = [&](const uint8_t* plane) { return plane[half * 64 + place] >> 2 * vector & 3; };
  if (info.codeBits == 2) return twoBits(codes);
  if (info.codeBits == 3) return twoBits(codes) | oneBit(codes + 128) << 2;
  const int nibble = codes[vector * 64 + place] >> (4 * half) & 15;
  if (info.table != nullptr) return info.table[nibble];
  if (info.codeBits == 5) return nibble | oneBit(codes + 256) << 4;
  if (info.codeBits == 6) return nibble | twoBits(codes + 256) << 4;
  return nibble;
}

// One row of a packed matrix as floats, bit for bit what src/quant/dequantise.ts gives.
void readRow(const ProductAttributes& attributes, const uint8_t* table, size_t row, float* out) {
  const WeightTypeInfo& info = weightTypeInfo(attributes.type);
  const size_t numCols = static_cast<size_t>(attributes.numCols), lane = row % kGroupRows;
  const uint8_t* group = table + row / kGroupRows * groupBytes(attributes.type, numCols);
  if (info.elementBytes == 4) {
    for (size_t k = 0; k < numCols; k++) memcpy(out + k, group + (k * kGroupRows + lane) * 4, 4);
    return;
  }
  if (info.elementBytes == 2) {
    for (size_t k = 0; k < numCols; k++) {
      uint16_t bits;
      memcpy(&bits, group + (k * kGroupRows + lane) * 2, 2);
      const uint32_t wide = static_cast<uint32_t>(bits) << 16;
      if (attributes.type == WeightType::kF16) {
        out[k] = plain::halfToFloat(bits);
      } else {
        memcpy(out + k, &wide, 4);
      }
    }
    return;
  }
  const size_t tileBlocks = info.tileColumns / kBlockColumns;
  for (size_t block = 0; block < numCols / kBlockColumns; block++) {
    const uint8_t* tile = group + block / tileBlocks * (info.headerBytes + tileBlocks * info.blockCodeBytes);
    const uint8_t* codes = tile + info.headerBytes + block % tileBlocks * info.blockCodeBytes;
    float* values = out + block * kBlockColumns;
    for (size_t i = 0; i < kBlockColumns; i++) {
      const Factors factors = readFactors(info.factors, tile, block % tileBlocks, i / 16, lane);
      values[i] = static_cast<float>(readCode(info, codes, i, lane) - info.codeOffset) * factors.scale + factors.min;
    }
  }
}

struct Gather {
  static constexpr const char* kName = "Gather";
  static constexpr InputSpec kInputs[] = {{kOrtInt64, kOrtRequired}, {kOrtUint8, kOrtRequired}};

  ProductAttributes attributes;

  explicit Gather(AttributeReader& reader) : attributes(readProductAttributes(reader)) {}

  void compute(OpContext& op) const {
    const Tensor ids = op.input(0), table = op.input(1);
    op.expect("ids", ids, kOrtInt64, 1);
    op.expect("table", table, kOrtUint8, 1);
    const int64_t numGroups = (attributes.numRows + kGroupRows - 1) / kGroupRows;
    op.expectSize("table", table, 0, numGroups * groupBytes(attributes.type, attributes.numCols));
    if (op.hasFailed()) return;
    const int64_t numTokens = ids.shape[0];
    for (int64_t t = 0; t < numTokens; t++) {
      const int64_t id = ids.as<int64_t>()[t];
      if (id < 0 || id >= attributes.numRows) {
        return op.fail("id %lld of token %lld is not in a table of %lld rows", static_cast<long long>(id), static_cast<long long>(t),
                       static_cast<long long>(attributes.numRows));
      }
    }
    float* output = op.output(numTokens, attributes.numCols);
    if (op.hasFailed()) return;
    for (int64_t t = 0; t < numTokens; t++) {
      readRow(attributes, table.as<uint8_t>(), static_cast<size_t>(ids.as<int64_t>()[t]), output + t * attributes.numCols);
    }
  }
};

const CustomOp<Gather> kOp;

}  // namespace

const OrtCustomOp* gatherOp() { return &kOp; }

}  // namespace tars
