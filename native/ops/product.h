// The part that MatMul and GatedMatMul share: checking the weights, quantising activations, spreading the work.
#pragma once

#include "op.h"

namespace tars {

struct ProductAttributes {
  int64_t numRows;  // N
  int64_t numCols;  // K
  WeightType type;
  size_t numPlanes;  // of the activations, for quantised weights
};

// Reads N, K, type and activation_bits (8 by default, or 16).
ProductAttributes readProductAttributes(AttributeReader& attributes);

// Checks activations [tokens, K] and the packed weights' length for `numMatrices` matrices of N rows.
void checkProduct(OpContext& op, const ProductAttributes& attributes, const Tensor& activations, const Tensor& weights, int64_t numMatrices);

// Runs the task; fails only for want of memory.
void runProduct(OpContext& op, MatMulTask& task);

}  // namespace tars
