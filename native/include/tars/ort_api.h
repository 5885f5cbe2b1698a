// The few members of ONNX Runtime's C API that the operators use. `OrtApi` is an append-only struct of function pointers, so
// a member is its index, stable over versions; `OrtCustomOp` is declared as of version kOrtApiVersion.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct OrtStatus;
struct OrtValue;
struct OrtKernelInfo;
struct OrtKernelContext;
struct OrtSessionOptions;
struct OrtCustomOpDomain;
struct OrtTensorTypeAndShapeInfo;
struct OrtShapeInferContext;
struct OrtCustomOp;

using OrtApi = void* const*;

struct OrtApiBase {
  OrtApi (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

constexpr uint32_t kOrtApiVersion = 22;

enum OrtErrorCode : int { kOrtFail = 1, kOrtInvalidArgument = 2 };
enum OrtElementType : int {
  kOrtUndefined = 0,
  kOrtFloat = 1,
  kOrtUint8 = 2,
  kOrtInt32 = 6,
  kOrtInt64 = 7,
  kOrtFloat16 = 10,
};
enum OrtCharacteristic : int { kOrtRequired = 0, kOrtOptional = 1 };

struct OrtCustomOp {
  uint32_t version;
  void* (*CreateKernel)(const OrtCustomOp*, OrtApi, const OrtKernelInfo*);
  const char* (*GetName)(const OrtCustomOp*);
  const char* (*GetExecutionProviderType)(const OrtCustomOp*);
  OrtElementType (*GetInputType)(const OrtCustomOp*, size_t);
  size_t (*GetInputTypeCount)(const OrtCustomOp*);
  OrtElementType (*GetOutputType)(const OrtCustomOp*, size_t);
  size_t (*GetOutputTypeCount)(const OrtCustomOp*);
  void (*KernelCompute)(void*, OrtKernelContext*);
  void (*KernelDestroy)(void*);
  OrtCharacteristic (*GetInputCharacteristic)(const OrtCustomOp*, size_t);
  OrtCharacteristic (*GetOutputCharacteristic)(const OrtCustomOp*, size_t);
  int (*GetInputMemoryType)(const OrtCustomOp*, size_t);
  int (*GetVariadicInputMinArity)(const OrtCustomOp*);
  int (*GetVariadicInputHomogeneity)(const OrtCustomOp*);
  int (*GetVariadicOutputMinArity)(const OrtCustomOp*);
  int (*GetVariadicOutputHomogeneity)(const OrtCustomOp*);
  OrtStatus* (*CreateKernelV2)(const OrtCustomOp*, OrtApi, const OrtKernelInfo*, void** kernel);
  OrtStatus* (*KernelComputeV2)(void* kernel, OrtKernelContext*);
  OrtStatus* (*InferOutputShapeFn)(const OrtCustomOp*, OrtShapeInferContext*);
  int (*GetStartVersion)(const OrtCustomOp*);
  int (*GetEndVersion)(const OrtCustomOp*);
  size_t (*GetMayInplace)(int** inputs, int** outputs);
  void (*ReleaseMayInplace)(int* inputs, int* outputs);
  size_t (*GetAliasMap)(int** inputs, int** outputs);
  void (*ReleaseAliasMap)(int* inputs, int* outputs);
};

namespace tars {

// Typed access to the members by index.
class Ort {
 public:
  explicit Ort(OrtApi api) : api_(api) {}

  OrtStatus* createStatus(OrtErrorCode code, const char* message) const { return call<OrtStatus*>(0, static_cast<int>(code), message); }
  void releaseStatus(OrtStatus* status) const { call<void>(93, status); }
  OrtStatus* createDomain(const char* name, OrtCustomOpDomain** out) const { return call<OrtStatus*>(26, name, out); }
  OrtStatus* addOp(OrtCustomOpDomain* domain, const OrtCustomOp* op) const { return call<OrtStatus*>(27, domain, op); }
  OrtStatus* addDomain(OrtSessionOptions* options, OrtCustomOpDomain* domain) const { return call<OrtStatus*>(28, options, domain); }
  OrtStatus* mutableData(const OrtValue* value, void** out) const { return call<OrtStatus*>(51, value, out); }
  OrtStatus* elementType(const OrtTensorTypeAndShapeInfo* info, int* out) const { return call<OrtStatus*>(60, info, out); }
  OrtStatus* numDimensions(const OrtTensorTypeAndShapeInfo* info, size_t* out) const { return call<OrtStatus*>(61, info, out); }
  OrtStatus* dimensions(const OrtTensorTypeAndShapeInfo* info, int64_t* out, size_t count) const {
    return call<OrtStatus*>(62, info, out, count);
  }
  OrtStatus* typeAndShape(const OrtValue* value, OrtTensorTypeAndShapeInfo** out) const { return call<OrtStatus*>(65, value, out); }
  void releaseTypeAndShape(OrtTensorTypeAndShapeInfo* info) const { call<void>(99, info); }
  OrtStatus* attributeFloat(const OrtKernelInfo* info, const char* name, float* out) const { return call<OrtStatus*>(85, info, name, out); }
  OrtStatus* attributeInt(const OrtKernelInfo* info, const char* name, int64_t* out) const { return call<OrtStatus*>(86, info, name, out); }
  OrtStatus* attributeString(const OrtKernelInfo* info, const char* name, char* out, size_t* size) const {
    return call<OrtStatus*>(87, info, name, out, size);
  }
  OrtStatus* input(const OrtKernelContext* context, size_t index, const OrtValue** out) const { return call<OrtStatus*>(90, context, index, out); }
  OrtStatus* output(OrtKernelContext* context, size_t index, const int64_t* shape, size_t rank, OrtValue** out) const {
    return call<OrtStatus*>(91, context, index, shape, rank, out);
  }
  OrtStatus* parallelFor(const OrtKernelContext* context, void (*function)(void*, size_t), size_t total, size_t numBatch, void* data) const {
    return call<OrtStatus*>(274, context, function, total, numBatch, data);
  }

 private:
  template <class Result, class... Arguments>
  Result call(size_t index, Arguments... arguments) const {
    return reinterpret_cast<Result (*)(Arguments...)>(api_[index])(arguments...);
  }

  OrtApi api_;
};

}  // namespace tars
