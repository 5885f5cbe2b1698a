// The contract between operators and kernels: weight layouts, tasks, and the table of functions that every instruction
// set fills in. Layouts are described in src/quant/kernel-layout.ts; both sides change together.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace tars {

constexpr size_t kGroupRows = 16;     // output rows that share one vector
constexpr size_t kBlockColumns = 32;  // columns that share one scale, for weights and activations alike

// Rows of a panel, each number of which has a compiled pass of its own: with all of them sanitizers take minutes to compile.
#ifdef TARS_SMALL_PANELS
constexpr int panelRowsOf(int) { return 2; }
#else
constexpr int panelRowsOf(int rows) { return rows; }
#endif

enum class WeightType { kF32, kF16, kBf16, kQ4_0, kQ4_1, kQ8_0, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K, kQ2_K, kQ3_K, kIq4Nl, kIq4Xs, kMxfp4 };

// What the header of a tile holds: see src/quant/kernel-layout.ts.
enum class FactorKind { kNone, kScale, kScaleMin, kSuperScaleMin, kSuperSigned16, kSuperNibbles16, kSuperSigned32, kExponent };

struct WeightTypeInfo {
  const char* name;
  size_t elementBytes;    // float types; 0 otherwise
  size_t tileColumns;     // columns that share a header
  size_t headerBytes;     // scales (and mins) of a tile
  size_t blockCodeBytes;  // codes of 16 rows x 32 columns
  int codeBits;
  const uint8_t* table;   // 16 entries that stand in for the codes, or null
  int codeOffset;         // value = (code - offset) * scale
  FactorKind factors;

  // value = code * scale + min
  bool hasMin() const { return factors == FactorKind::kScaleMin || factors == FactorKind::kSuperScaleMin || hasNibbleFactors(); }
  bool hasNibbleFactors() const { return factors == FactorKind::kSuperNibbles16; }
  // Each 16 columns have factors of their own.
  bool hasSubBlocks() const { return factors == FactorKind::kSuperSigned16 || hasNibbleFactors(); }

  // A row is a whole number of these.
  size_t rowMultiple() const { return tileColumns == 256 ? 256 : kBlockColumns; }
};

// Values of the 16 codes of iq4_nl and iq4_xs plus 128, and of mxfp4 (E2M1, doubled) plus 12.
constexpr uint8_t kIq4Table[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};
constexpr uint8_t kMxfp4Table[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};

const WeightTypeInfo& weightTypeInfo(WeightType type);
// Returns false when no type has this name.
bool parseWeightType(const char* name, WeightType* type);
// Bytes of one group of 16 rows; `numCols` must be a multiple of 32 for quantised types.
size_t groupBytes(WeightType type, size_t numCols);

static inline bool isQuantised(WeightType type) { return weightTypeInfo(type).elementBytes == 0; }

enum class Activation { kNone, kSilu, kGeluTanh };

// One product. Weight groups are read through `groupBytes(type, numCols)`; with a gate, groups alternate gate and up.
struct MatMulTask {
  WeightType type;
  const uint8_t* weights;
  size_t numCols;               // K
  size_t numRows;               // N: columns of the output
  size_t numTokens;
  const float* activations;     // [numTokens, numCols]
  size_t numPlanes;             // quantised types: 8-bit planes per activation, 1 or 2 (the second holds what the first left)
  uint8_t* panels;              // quantised types: panelBytes(numTokens * numPlanes) of scratch
  const float* bias;            // [numRows] or null
  const float* residual;        // [numTokens, numRows] or null; may be the output
  bool isGated;
  Activation activation;        // of the gate
  float* output;                // [numTokens, numRows]
};

// How the cache keeps a row, the values of one head at one position: float types as they are; quantised ones as the codes of all
// blocks of 32 values, then their half scales. q8_0: signed bytes; q4_0: byte i of a block holds value i (low) and 16 + i (high),
// plus 8. The head size is a multiple of 32 for these.
enum class CacheType { kF32, kF16, kQ8_0, kQ4_0 };

static inline size_t cacheRowBytes(CacheType type, size_t headSize) {
  const size_t scaleBytes = headSize / kBlockColumns * 2;
  switch (type) {
    case CacheType::kF32: return headSize * 4;
    case CacheType::kF16: return headSize * 2;
    case CacheType::kQ8_0: return headSize + scaleBytes;
    case CacheType::kQ4_0: return headSize / 2 + scaleBytes;
  }
  return 0;
}

// What one call of attendPart works on: query rows that share a key/value head and a run of cache positions.
struct AttentionPart {
  size_t numRows;               // at most kMaxAttentionRows
  size_t headSize;              // D
  size_t paddedHeadSize;        // D rounded up to 16
  const float* const* queries;  // numRows pointers to [paddedHeadSize], scaled and padded with zeros
  const int64_t* rowBegin;      // first visible position of each row
  const int64_t* rowEnd;        // one past the last visible position
  int64_t firstPosition;        // a multiple of kAttentionPartPositions
  size_t numPositions;          // at most kAttentionPartPositions
  const void* const* keys;      // numPositions pointers to rows of the cache
  const void* const* values;
  CacheType cacheType;
  float softcap;                // 0: off
};

// Softmax state of the rows over the positions seen so far: maximum, sum of exponentials, weighted values.
struct AttentionState {
  float* maximum;  // [numRows]
  float* sum;      // [numRows]
  float* values;   // [numRows, paddedHeadSize]
};

constexpr size_t kMaxAttentionRows = 128;  // keys and values are read once per 128 query rows
constexpr size_t kAttentionPartPositions = 256;
constexpr size_t kMaxHeadSize = 1024;
constexpr float kEmptyMaximum = -1e30f;  // of a row that has seen no position; finite, so that differences stay numbers

struct KernelTable {
  const char* name;
  size_t panelRows;       // activation planes that one pass over quantised weights serves; at least 2
  size_t floatPanelRows;  // the same for float weights

  // Quantises the activations of tokens [firstToken, firstToken + count) into their panel.
  void (*quantisePanel)(const MatMulTask& task, size_t firstToken, size_t count);
  // Computes and finishes weight groups [firstGroup, firstGroup + numGroups), at most two, for panels [firstPanel, endPanel).
  // With a gate the two groups are one output group.
  void (*multiply)(const MatMulTask& task, size_t firstGroup, size_t numGroups, size_t firstPanel, size_t endPanel);

  size_t (*attentionScratchBytes)(size_t numRows, size_t paddedHeadSize);
  // Softmax state of the rows over the positions of one part alone. Needs attentionScratchBytes() aligned to 64.
  void (*attendPart)(const AttentionPart& part, const AttentionState& state, void* scratch);
  // Folds `part` into `total`; parts must be folded in the order of their positions.
  void (*mergeParts)(size_t numRows, size_t paddedHeadSize, const AttentionState& total, const AttentionState& part);
  // Divides by the sum (with the sink's share, when there is one) and writes [headSize] values.
  void (*finishRow)(const float* values, float maximum, float sum, const float* sink, size_t headSize, float* output);
  // Writes the values of a head to its row of the cache.
  void (*storeRow)(CacheType type, const float* values, size_t headSize, void* row);
};

// How tokens are shared out over panels of at most `panelRows`: evenly, so that 8 tokens are 4 + 4 and not 6 + 2.
static inline size_t numPanels(size_t numTokens, size_t panelRows) { return (numTokens + panelRows - 1) / panelRows; }
static inline size_t panelBegin(size_t panel, size_t panels, size_t numTokens) { return panel * numTokens / panels; }

// Tokens that one pass over the weights serves: each of their planes is a row of the panel.
static inline size_t panelTokens(size_t panelRows, size_t numPlanes) { return panelRows / numPlanes; }

// Per row (one plane of one token) and block: 32 codes, a scale, a start value.
constexpr size_t kPanelBlockBytes = kBlockColumns + 4 + 4;
static inline size_t panelBytes(size_t numRows, size_t numCols) { return numRows * (numCols / kBlockColumns) * kPanelBlockBytes; }

// The table for this processor, or the one that TARS_ISA or tars_ops_set_isa names.
const KernelTable& kernels();
bool selectKernels(const char* name);

namespace plain { extern const KernelTable kTable; }
namespace avx2 { extern const KernelTable kTable; }
namespace avx512 { extern const KernelTable kTable; }
namespace avx512vnni { extern const KernelTable kTable; }
namespace neon { extern const KernelTable kTable; }

}  // namespace tars
