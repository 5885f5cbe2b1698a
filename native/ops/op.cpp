#include "op.h"

#include <sched.h>

namespace tars {

namespace {

OrtStatus* makeStatus(Ort ort, const char* opName, const char* format, va_list arguments) {
  char reason[400];
  vsnprintf(reason, sizeof(reason), format, arguments);
  char message[480];
  snprintf(message, sizeof(message), "tars.%s: %s", opName, reason);
  return ort.createStatus(kOrtInvalidArgument, message);
}

size_t countProcessors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  const int count = CPU_COUNT(&set);
  return count > 1 ? static_cast<size_t>(count) : 1;
}

const size_t kProcessors = countProcessors();

}  // namespace

void AttributeReader::fail(const char* format, ...) {
  if (status_ != nullptr) return;
  va_list arguments;
  va_start(arguments, format);
  status_ = makeStatus(ort_, opName_, format, arguments);
  va_end(arguments);
}

int64_t AttributeReader::requiredInt(const char* name, int64_t least, int64_t most) {
  int64_t value = least;
  if (hasFailed()) return value;
  OrtStatus* status = ort_.attributeInt(info_, name, &value);
  if (status != nullptr) {
    ort_.releaseStatus(status);
    fail("attribute %s is missing", name);
    return least;
  }
  if (value < least || value > most) {
    fail("attribute %s is %lld, not in %lld..%lld", name, static_cast<long long>(value), static_cast<long long>(least),
         static_cast<long long>(most));
    return least;
  }
  return value;
}

int64_t AttributeReader::optionalInt(const char* name, int64_t fallback) {
  int64_t value = fallback;
  OrtStatus* status = ort_.attributeInt(info_, name, &value);
  if (status == nullptr) return value;
  ort_.releaseStatus(status);
  return fallback;
}

float AttributeReader::optionalFloat(const char* name, float fallback) {
  float value = fallback;
  OrtStatus* status = ort_.attributeFloat(info_, name, &value);
  if (status == nullptr) return value;
  ort_.releaseStatus(status);
  return fallback;
}

void AttributeReader::requiredString(const char* name, char* value, size_t size) {
  value[0] = '\0';
  if (hasFailed()) return;
  OrtStatus* status = ort_.attributeString(info_, name, value, &size);
  if (status == nullptr) return;
  ort_.releaseStatus(status);
  value[0] = '\0';
  fail("attribute %s is missing or too long", name);
}

void OpContext::fail(const char* format, ...) {
  if (status_ != nullptr) return;
  va_list arguments;
  va_start(arguments, format);
  status_ = makeStatus(ort_, opName_, format, arguments);
  va_end(arguments);
}

Tensor OpContext::input(size_t index) {
  Tensor tensor;
  const OrtValue* value = nullptr;
  if (hasFailed()) return tensor;
  keep(ort_.input(context_, index, &value));
  if (hasFailed() || value == nullptr) return tensor;
  OrtTensorTypeAndShapeInfo* info = nullptr;
  keep(ort_.typeAndShape(value, &info));
  if (hasFailed()) return tensor;
  int type = 0;
  keep(ort_.elementType(info, &type));
  tensor.type = static_cast<OrtElementType>(type);
  keep(ort_.numDimensions(info, &tensor.rank));
  if (!hasFailed() && tensor.rank > kMaxRank) fail("input %zu has %zu dimensions", index, tensor.rank);
  if (!hasFailed()) keep(ort_.dimensions(info, tensor.shape, tensor.rank));
  ort_.releaseTypeAndShape(info);
  if (!hasFailed()) keep(ort_.mutableData(value, &tensor.data));
  return tensor;
}

void OpContext::expect(const char* name, const Tensor& tensor, OrtElementType type, size_t rank) {
  if (hasFailed()) return;
  if (!tensor.isPresent()) return fail("%s is missing", name);
  if (tensor.type != type) return fail("%s has element type %d instead of %d", name, tensor.type, type);
  if (tensor.rank != rank) return fail("%s has %zu dimensions instead of %zu", name, tensor.rank, rank);
}

void OpContext::expectSize(const char* name, const Tensor& tensor, size_t axis, int64_t size) {
  if (hasFailed()) return;
  if (tensor.shape[axis] == size) return;
  fail("dimension %zu of %s is %lld instead of %lld", axis, name, static_cast<long long>(tensor.shape[axis]),
       static_cast<long long>(size));
}

float* OpContext::output(int64_t numRows, int64_t numCols) {
  if (hasFailed()) return nullptr;
  const int64_t shape[2] = {numRows, numCols};
  OrtValue* value = nullptr;
  void* data = nullptr;
  keep(ort_.output(context_, 0, shape, 2, &value));
  if (!hasFailed()) keep(ort_.mutableData(value, &data));
  return static_cast<float*>(data);
}

// The C API does not tell the size of the session's pool; more workers than threads only means that late ones find no item.
size_t OpContext::numWorkers(size_t numItems) {
  return numItems < kProcessors ? numItems : kProcessors;
}

}  // namespace tars
