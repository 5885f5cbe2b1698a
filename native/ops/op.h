// What every operator shares: checked inputs and attributes, errors as OrtStatus, parallel loops, and the OrtCustomOp table.
// No exceptions and no C++ runtime: the library depends on libc alone.
#pragma once

#include <atomic>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tars/kernels.h"
#include "tars/ort_api.h"

namespace tars {

constexpr size_t kMaxRank = 8;

struct Tensor {
  void* data = nullptr;  // null: the optional input is absent
  OrtElementType type = kOrtUndefined;
  size_t rank = 0;
  int64_t shape[kMaxRank] = {};

  bool isPresent() const { return data != nullptr || rank > 0; }
  template <class T>
  T* as() const { return static_cast<T*>(data); }
};

// Reads attributes at session creation. The first failure is kept; later calls do nothing.
class AttributeReader {
 public:
  AttributeReader(Ort ort, const OrtKernelInfo* info, const char* opName) : ort_(ort), info_(info), opName_(opName) {}

  int64_t requiredInt(const char* name, int64_t least, int64_t most);
  int64_t optionalInt(const char* name, int64_t fallback);
  float optionalFloat(const char* name, float fallback);
  // Writes at most `size` bytes with the terminator.
  void requiredString(const char* name, char* value, size_t size);
  void fail(const char* format, ...) __attribute__((format(printf, 2, 3)));

  OrtStatus* takeStatus() {
    OrtStatus* status = status_;
    status_ = nullptr;
    return status;
  }
  bool hasFailed() const { return status_ != nullptr; }

 private:
  Ort ort_;
  const OrtKernelInfo* info_;
  const char* opName_;
  OrtStatus* status_ = nullptr;
};

// Inputs, outputs and threads of one run of one node. The first failure is kept; later calls do nothing.
class OpContext {
 public:
  OpContext(Ort ort, OrtKernelContext* context, const char* opName) : ort_(ort), context_(context), opName_(opName) {}

  // An absent optional input is an empty Tensor.
  Tensor input(size_t index);
  // Fails unless `tensor` has this type and rank.
  void expect(const char* name, const Tensor& tensor, OrtElementType type, size_t rank);
  // Fails unless dimension `axis` is `size`.
  void expectSize(const char* name, const Tensor& tensor, size_t axis, int64_t size);
  void fail(const char* format, ...) __attribute__((format(printf, 2, 3)));
  bool hasFailed() const { return status_ != nullptr; }
  OrtStatus* takeStatus() {
    OrtStatus* status = status_;
    status_ = nullptr;
    return status;
  }

  float* output(int64_t numRows, int64_t numCols);

  // Calls function(worker, item) for every item, on the session's threads; items are handed out one by one, so that uneven
  // items spread evenly. `worker` < numWorkers(numItems) is never used by two calls at once. The function must not fail.
  template <class Function>
  void parallel(size_t numItems, const Function& function) {
    if (numItems == 0 || hasFailed()) return;
    const size_t workers = numWorkers(numItems);
    if (workers == 1) {
      for (size_t i = 0; i < numItems; i++) function(0, i);
      return;
    }
    struct Loop {
      const Function& function;
      size_t numItems;
      std::atomic<size_t> next;
    } loop = {function, numItems, {0}};
    const auto run = [](void* data, size_t worker) {
      Loop& shared = *static_cast<Loop*>(data);
      for (size_t i; (i = shared.next.fetch_add(1, std::memory_order_relaxed)) < shared.numItems;) shared.function(worker, i);
    };
    keep(ort_.parallelFor(context_, run, workers, 0, &loop));
  }
  static size_t numWorkers(size_t numItems);

 private:
  void keep(OrtStatus* status) {
    if (status == nullptr) return;
    if (status_ != nullptr) return ort_.releaseStatus(status);
    status_ = status;
  }

  Ort ort_;
  OrtKernelContext* context_;
  const char* opName_;
  OrtStatus* status_ = nullptr;
};

// Memory of one run, aligned to cache lines. `get()` is null when the system has none left.
class Scratch {
 public:
  explicit Scratch(size_t bytes) : data_(aligned_alloc(64, (bytes + 127) / 64 * 64)) {}
  ~Scratch() { free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  uint8_t* get() const { return static_cast<uint8_t*>(data_); }

 private:
  void* data_;
};

struct InputSpec {
  OrtElementType type;
  OrtCharacteristic characteristic;
};

// Builds the callbacks of an operator from a kernel class with: kName, kInputs (array of InputSpec), `Kernel(AttributeReader&)`
// and `void compute(OpContext&) const`.
template <class Kernel>
struct CustomOp : OrtCustomOp {
  struct State {
    Ort ort;
    Kernel kernel;
  };

  CustomOp() : OrtCustomOp{} {
    version = kOrtApiVersion;
    GetName = [](const OrtCustomOp*) { return Kernel::kName; };
    GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return "CPUExecutionProvider"; };
    GetInputType = [](const OrtCustomOp*, size_t i) { return Kernel::kInputs[i].type; };
    GetInputTypeCount = [](const OrtCustomOp*) { return sizeof(Kernel::kInputs) / sizeof(Kernel::kInputs[0]); };
    GetOutputType = [](const OrtCustomOp*, size_t) { return kOrtFloat; };
    GetOutputTypeCount = [](const OrtCustomOp*) { return static_cast<size_t>(1); };
    GetInputCharacteristic = [](const OrtCustomOp*, size_t i) { return Kernel::kInputs[i].characteristic; };
    GetOutputCharacteristic = [](const OrtCustomOp*, size_t) { return kOrtRequired; };
    GetInputMemoryType = [](const OrtCustomOp*, size_t) { return 0; };
    GetVariadicInputMinArity = [](const OrtCustomOp*) { return 1; };
    GetVariadicInputHomogeneity = [](const OrtCustomOp*) { return 1; };
    GetVariadicOutputMinArity = [](const OrtCustomOp*) { return 1; };
    GetVariadicOutputHomogeneity = [](const OrtCustomOp*) { return 1; };
    GetStartVersion = [](const OrtCustomOp*) { return 1; };
    GetEndVersion = [](const OrtCustomOp*) { return 0x7fffffff; };
    CreateKernelV2 = create;
    KernelComputeV2 = compute;
    KernelDestroy = [](void* state) { free(state); };
  }

  static OrtStatus* create(const OrtCustomOp*, OrtApi api, const OrtKernelInfo* info, void** out) {
    const Ort ort(api);
    AttributeReader attributes(ort, info, Kernel::kName);
    const Kernel kernel(attributes);
    if (attributes.hasFailed()) return attributes.takeStatus();
    void* memory = malloc(sizeof(State));
    if (memory == nullptr) return ort.createStatus(kOrtFail, "out of memory");
    const State state = {ort, kernel};
    memcpy(memory, &state, sizeof(State));
    *out = memory;
    return nullptr;
  }

  static OrtStatus* compute(void* state, OrtKernelContext* context) {
    const State& self = *static_cast<const State*>(state);
    OpContext op(self.ort, context, Kernel::kName);
    self.kernel.compute(op);
    return op.takeStatus();
  }
};

// One operator a file; the objects live as long as the library.
const OrtCustomOp* matMulOp();
const OrtCustomOp* gatedMatMulOp();
const OrtCustomOp* gatherOp();
const OrtCustomOp* pagedAttentionOp();

}  // namespace tars
