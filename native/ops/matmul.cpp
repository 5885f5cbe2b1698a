// MatMul: activations f32 [tokens, K] x packed weights uint8 [bytes] (+ bias f32 [N]) (+ residual f32 [tokens, N])
//         -> f32 [tokens, N]. Attributes: N, K, type, activation_bits.
#include "product.h"

namespace tars {

namespace {

struct MatMul {
  static constexpr const char* kName = "MatMul";
  static constexpr InputSpec kInputs[] = {
      {kOrtFloat, kOrtRequired}, {kOrtUint8, kOrtRequired}, {kOrtFloat, kOrtOptional}, {kOrtFloat, kOrtOptional}};

  ProductAttributes attributes;

  explicit MatMul(AttributeReader& reader) : attributes(readProductAttributes(reader)) {}

  void compute(OpContext& op) const {
    const Tensor activations = op.input(0), weights = op.input(1), bias = op.input(2), residual = op.input(3);
    checkProduct(op, attributes, activations, weights, 1);
    if (bias.isPresent()) {
      op.expect("bias", bias, kOrtFloat, 1);
      op.expectSize("bias", bias, 0, attributes.numRows);
    }
    if (residual.isPresent()) {
      op.expect("residual", residual, kOrtFloat, 2);
      op.expectSize("residual", residual, 0, activations.shape[0]);
      op.expectSize("residual", residual, 1, attributes.numRows);
    }
    float* output = op.output(activations.shape[0], attributes.numRows);
    if (op.hasFailed() || activations.shape[0] == 0) return;
    MatMulTask task = {};
    task.type = attributes.type;
    task.numPlanes = attributes.numPlanes;
    task.weights = weights.as<uint8_t>();
    task.numCols = static_cast<size_t>(attributes.numCols);
    task.numRows = static_cast<size_t>(attributes.numRows);
    task.numTokens = static_cast<size_t>(activations.shape[0]);
    task.activations = activations.as<float>();
    task.bias = bias.as<float>();
    task.residual = residual.as<float>();
    task.output = output;
    runProduct(op, task);
  }
};

const CustomOp<MatMul> kOp;

}  // namespace

const OrtCustomOp* matMulOp() { return &kOp; }

}  // namespace tars
