// ONNX Runtime's C API as far as the operators use it (tars/ort_api.h), over memory of this process: an operator runs without
// ONNX Runtime, so under sanitizers and emulators too. Every tensor has an allocation of its own, of exactly its size, so that
// a read beyond it is found.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "tars/ort_api.h"

struct OrtStatus {
  std::string message;
};

struct OrtTensorTypeAndShapeInfo {
  int type;
  std::vector<int64_t> shape;
};

struct OrtValue {
  OrtTensorTypeAndShapeInfo info;
  std::unique_ptr<void, void (*)(void*)> memory{nullptr, std::free};

  OrtValue(OrtElementType type, std::vector<int64_t> shape) : info{type, std::move(shape)} {
    // ONNX Runtime aligns to cache lines. The size stays exact: posix_memalign does not round it up.
    void* data = nullptr;
    if (posix_memalign(&data, 64, numBytes()) != 0) std::abort();
    memory.reset(data);
  }
  size_t elementBytes() const {
    return info.type == kOrtUint8 ? 1 : info.type == kOrtFloat16 ? 2 : info.type == kOrtInt64 ? 8 : 4;
  }
  size_t numElements() const {
    size_t count = 1;
    for (const int64_t size : info.shape) count *= static_cast<size_t>(size);
    return count;
  }
  size_t numBytes() const { return numElements() * elementBytes(); }
  template <class T>
  T* as() const { return static_cast<T*>(memory.get()); }
};

using Value = std::unique_ptr<OrtValue>;
using Attribute = std::variant<int64_t, float, std::string>;

struct OrtKernelInfo {
  std::map<std::string, Attribute> attributes;
};

struct OrtKernelContext {
  std::vector<const OrtValue*> inputs;  // null: left out
  Value output;
};

namespace fake {

inline OrtStatus* createStatus(int, const char* message) { return new OrtStatus{message}; }
inline void releaseStatus(OrtStatus* status) { delete status; }

inline OrtStatus* mutableData(const OrtValue* value, void** out) {
  *out = value->memory.get();
  return nullptr;
}
inline OrtStatus* typeAndShape(const OrtValue* value, OrtTensorTypeAndShapeInfo** out) {
  *out = new OrtTensorTypeAndShapeInfo(value->info);
  return nullptr;
}
inline void releaseTypeAndShape(OrtTensorTypeAndShapeInfo* info) { delete info; }
inline OrtStatus* elementType(const OrtTensorTypeAndShapeInfo* info, int* out) {
  *out = info->type;
  return nullptr;
}
inline OrtStatus* numDimensions(const OrtTensorTypeAndShapeInfo* info, size_t* out) {
  *out = info->shape.size();
  return nullptr;
}
inline OrtStatus* dimensions(const OrtTensorTypeAndShapeInfo* info, int64_t* out, size_t count) {
  std::copy_n(info->shape.begin(), count, out);
  return nullptr;
}

template <class T>
OrtStatus* attribute(const OrtKernelInfo* info, const char* name, T* out) {
  const auto found = info->attributes.find(name);
  if (found == info->attributes.end() || !std::holds_alternative<T>(found->second)) return createStatus(kOrtFail, "no such attribute");
  *out = std::get<T>(found->second);
  return nullptr;
}
inline OrtStatus* attributeString(const OrtKernelInfo* info, const char* name, char* out, size_t* size) {
  std::string text;
  if (OrtStatus* status = attribute<std::string>(info, name, &text)) return status;
  if (*size < text.size() + 1) return createStatus(kOrtInvalidArgument, "the buffer is too small");
  *size = text.size() + 1;
  std::memcpy(out, text.c_str(), *size);
  return nullptr;
}

inline OrtStatus* input(const OrtKernelContext* context, size_t index, const OrtValue** out) {
  if (index < context->inputs.size()) *out = context->inputs[index];
  return nullptr;
}
inline OrtStatus* output(OrtKernelContext* context, size_t, const int64_t* shape, size_t rank, OrtValue** out) {
  context->output = std::make_unique<OrtValue>(kOrtFloat, std::vector<int64_t>(shape, shape + rank));
  *out = context->output.get();
  return nullptr;
}

inline OrtStatus* parallelFor(const OrtKernelContext*, void (*function)(void*, size_t), size_t total, size_t, void* data) {
  std::vector<std::thread> threads;
  for (size_t i = 1; i < total; i++) threads.emplace_back(function, data, i);
  function(data, 0);
  for (std::thread& thread : threads) thread.join();
  return nullptr;
}

inline OrtApi api() {
  static void* members[320] = {};
  if (members[0] == nullptr) {
    const auto set = [](size_t index, auto* function) { members[index] = reinterpret_cast<void*>(function); };
    set(51, mutableData);
    set(60, elementType);
    set(61, numDimensions);
    set(62, dimensions);
    set(65, typeAndShape);
    set(85, attribute<float>);
    set(86, attribute<int64_t>);
    set(87, attributeString);
    set(90, input);
    set(91, output);
    set(93, releaseStatus);
    set(99, releaseTypeAndShape);
    set(274, parallelFor);
    set(0, createStatus);
  }
  return members;
}

// What a run gives: an output, or what the operator says is wrong.
struct Result {
  Value output;
  std::string error;
};

inline std::string takeMessage(OrtStatus* status) {
  std::unique_ptr<OrtStatus> owned(status);
  return owned->message;
}

// Creates the operator's kernel, runs it once and destroys it, as one node of a session.
inline Result run(const OrtCustomOp* op, const std::map<std::string, Attribute>& attributes, const std::vector<const OrtValue*>& inputs) {
  const OrtKernelInfo info{attributes};
  void* kernel = nullptr;
  if (OrtStatus* status = op->CreateKernelV2(op, api(), &info, &kernel)) return {nullptr, takeMessage(status)};
  OrtKernelContext context{inputs, nullptr};
  OrtStatus* status = op->KernelComputeV2(kernel, &context);
  op->KernelDestroy(kernel);
  if (status != nullptr) return {nullptr, takeMessage(status)};
  return {std::move(context.output), ""};
}

}  // namespace fake
