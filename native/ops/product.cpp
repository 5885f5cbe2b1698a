#include "product.h"

namespace tars {

namespace {

// Below this many activations quantising is quicker on the calling thread than a dispatch to the pool (about 5 us).
constexpr size_t kParallelActivations = 32768;
// Items per worker: enough that a slow worker leaves little behind.
constexpr size_t kItemsPerWorker = 12;

void quantiseActivations(OpContext& op, const MatMulTask& task, size_t panels) {
  const KernelTable& table = kernels();
  const auto quantise = [&](size_t, size_t panel) {
    const size_t token = panelBegin(panel, panels, task.numTokens);
    table.quantisePanel(task, token, panelBegin(panel + 1, panels, task.numTokens) - token);
  };
  if (task.numTokens * task.numCols < kParallelActivations) {
    for (size_t p = 0; p < panels; p++) quantise(0, p);
  } else {
    op.parallel(panels, quantise);
  }
}

}  // namespace

ProductAttributes readProductAttributes(AttributeReader& attributes) {
  constexpr int64_t kLargest = 1 << 24;  // the largest vocabulary or intermediate size of today is under 2^20
  ProductAttributes product = {};
  product.numRows = attributes.requiredInt("N", 1, kLargest);
  product.numCols = attributes.requiredInt("K", 1, kLargest);
  char type[16];
  attributes.requiredString("type", type, sizeof(type));
  if (!attributes.hasFailed() && !parseWeightType(type, &product.type)) attributes.fail("unknown type \"%s\"", type);
  const int64_t bits = attributes.optionalInt("activation_bits", 8);
  if (bits != 8 && bits != 16) attributes.fail("activation_bits = %lld is neither 8 nor 16", static_cast<long long>(bits));
  product.numPlanes = bits == 16 ? 2 : 1;
  if (!attributes.hasFailed() && isQuantised(product.type)) {
    const int64_t multiple = static_cast<int64_t>(weightTypeInfo(product.type).rowMultiple());
    if (product.numCols % multiple != 0) {
      attributes.fail("K = %lld is not a multiple of %lld", static_cast<long long>(product.numCols), static_cast<long long>(multiple));
    }
  }
  return product;
}

void checkProduct(OpContext& op, const ProductAttributes& attributes, const Tensor& activations, const Tensor& weights, int64_t numMatrices) {
  op.expect("activations", activations, kOrtFloat, 2);
  op.expectSize("activations", activations, 1, attributes.numCols);
  op.expect("weights", weights, kOrtUint8, 1);
  const int64_t numGroups = (attributes.numRows + kGroupRows - 1) / kGroupRows * numMatrices;
  op.expectSize("weights", weights, 0, numGroups * groupBytes(attributes.type, attributes.numCols));
}

void runProduct(OpContext& op, MatMulTask& task) {
  const KernelTable& table = kernels();
  const bool quantised = isQuantised(task.type);
  const Scratch scratch(quantised ? panelBytes(task.numTokens * task.numPlanes, task.numCols) : 0);
  if (scratch.get() == nullptr) return op.fail("no memory for %zu tokens", task.numTokens);
  task.panels = scratch.get();
  const size_t panels = numPanels(task.numTokens, quantised ? panelTokens(table.panelRows, task.numPlanes) : table.floatPanelRows);
  if (quantised) quantiseActivations(op, task, panels);

  const size_t numGroups = (task.numRows + kGroupRows - 1) / kGroupRows * (task.isGated ? 2 : 1);
  const size_t pairs = (numGroups + 1) / 2;
  const size_t wanted = OpContext::numWorkers(SIZE_MAX) * kItemsPerWorker;
  // Runs of neighbouring pairs: at the start of a run nothing has been requested from memory yet.
  const size_t runs = pairs < wanted ? pairs : wanted;
  // Few groups and many tokens: share out the tokens too.
  size_t slices = (wanted + runs - 1) / runs;
  slices = slices < panels ? slices : panels;
  op.parallel(runs * slices, [&](size_t, size_t item) {
    const size_t run = item / slices, slice = item % slices;
    for (size_t pair = run * pairs / runs; pair < (run + 1) * pairs / runs; pair++) {
      const size_t count = 2 * pair + 2 <= numGroups ? 2 : 1;
      table.multiply(task, 2 * pair, count, panelBegin(slice, slices, panels), panelBegin(slice + 1, slices, panels));
    }
  });
}

}  // namespace tars
