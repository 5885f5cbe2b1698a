// GatedMatMul: activations f32 [tokens, K] x packed gate and up weights in alternating groups of 16 rows
//              -> act(gate) * up, f32 [tokens, N]. Attributes: N, K, type, activation_bits, activation ("silu" or
//              "gelu_tanh").
#include "product.h"

namespace tars {

namespace {

Activation readActivation(AttributeReader& reader) {
  char name[16];
  reader.requiredString("activation", name, sizeof(name));
  if (strcmp(name, "silu") == 0) return Activation::kSilu;
  if (strcmp(name, "gelu_tanh") == 0) return Activation::kGeluTanh;
  reader.fail("unknown activation \"%s\"", name);
  return Activation::kNone;
}

struct GatedMatMul {
  static constexpr const char* kName = "GatedMatMul";
  static constexpr InputSpec kInputs[] = {{kOrtFloat, kOrtRequired}, {kOrtUint8, kOrtRequired}};

  ProductAttributes attributes;
  Activation activation;

  explicit GatedMatMul(AttributeReader& reader) : attributes(readProductAttributes(reader)), activation(readActivation(reader)) {}

  void compute(OpContext& op) const {
    const Tensor activations = op.input(0), weights = op.input(1);
    checkProduct(op, attributes, activations, weights, 2);
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
    task.isGated = true;
    task.activation = activation;
    task.output = output;
    runProduct(op, task);
  }
};

const CustomOp<GatedMatMul> kOp;

}  // namespace

const OrtCustomOp* gatedMatMulOp() { return &kOp; }

}  // namespace tars
