// The exports of the library: registration with ONNX Runtime, and what a caller may ask about the build.
#include "op.h"

#define TARS_EXPORT extern "C" __attribute__((visibility("default")))

// Domain objects must outlive every session that uses them, and sessions do not tell when they end: they are never released.
TARS_EXPORT OrtStatus* RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
  const OrtApi api = base->GetApi(kOrtApiVersion);
  if (api == nullptr) return tars::Ort(base->GetApi(1)).createStatus(kOrtFail, "the tars operators need ONNX Runtime 1.22 or newer");
  const tars::Ort ort(api);
  OrtCustomOpDomain* domain = nullptr;
  OrtStatus* status = ort.createDomain("tars", &domain);
  const OrtCustomOp* const ops[] = {tars::matMulOp(), tars::gatedMatMulOp(), tars::gatherOp(), tars::pagedAttentionOp()};
  for (const OrtCustomOp* op : ops) {
    if (status == nullptr) status = ort.addOp(domain, op);
  }
  return status == nullptr ? ort.addDomain(options, domain) : status;
}

// Name of the instruction set in use.
TARS_EXPORT const char* tars_ops_isa() { return tars::kernels().name; }

// Chooses an instruction set by name; null is the processor's best. Returns 0 when it is not available, otherwise 1.
TARS_EXPORT int tars_ops_set_isa(const char* name) { return tars::selectKernels(name) ? 1 : 0; }

// Digest of the sources that the library was built from, as scripts/build-native.mjs computes it.
TARS_EXPORT const char* tars_ops_source_digest() { return TARS_SOURCE_DIGEST; }
