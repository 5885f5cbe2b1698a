// Gather: ids int64 [tokens], packed table uint8 [bytes] of N rows of K -> their values, f32 [tokens, K].
// Attributes: N, K, type.
#include "../kernels/simd/plain.h"
#include "product.h"

namespace tars {

namespace {

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
  for (size_t block = 0; block < numCols / kBlockColumns; block++) {
    const uint8_t* tile = group + block / 2 * (info.headerBytes + 2 * info.blockCodeBytes);
    const uint16_t* header = reinterpret_cast<const uint16_t*>(tile) + block % 2 * kGroupRows + lane;
    const uint8_t* codes = tile + info.headerBytes + block % 2 * info.blockCodeBytes + lane * 4;
    const float scale = plain::halfToFloat(header[0]);
    const float min = info.hasMin ? plain::halfToFloat(header[2 * kGroupRows]) : -0.0f;
    float* values = out + block * kBlockColumns;
    for (size_t i = 0; i < kBlockColumns; i++) {
      const bool isByte = info.blockCodeBytes == 512;
      const size_t place = isByte ? i : i % 16;
      const uint8_t byte = codes[place / 4 * 64 + place % 4];
      const int code = isByte ? byte : i < 16 ? byte & 15 : byte >> 4;
      values[i] = static_cast<float>(code - info.codeOffset) * scale + min;
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
