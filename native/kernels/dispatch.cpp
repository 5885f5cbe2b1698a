// Chooses the instruction set: the best that the processor and the operating system support, unless TARS_ISA names another.
#include <atomic>
#include <stdlib.h>
#include <string.h>

#include "tars/kernels.h"

namespace tars {

namespace {

struct Candidate {
  const KernelTable* table;
  bool isSupported;
};

// Best first.
const KernelTable* find(const char* name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool hasAvx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool hasAvx512 = hasAvx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  const Candidate candidates[] = {{&avx512vnni::kTable, hasAvx512 && __builtin_cpu_supports("avx512vnni")},
                                  {&avx512::kTable, hasAvx512},
                                  {&avx2::kTable, hasAvx2},
                                  {&plain::kTable, true}};
#elif defined(__ARM_FEATURE_DOTPROD)
  const Candidate candidates[] = {{&neon::kTable, true}, {&plain::kTable, true}};
#else
  const Candidate candidates[] = {{&plain::kTable, true}};
#endif
  for (const Candidate& candidate : candidates) {
    if (candidate.isSupported && (name == nullptr || strcmp(name, candidate.table->name) == 0)) return candidate.table;
  }
  return nullptr;
}

const KernelTable* choose() {
  const KernelTable* named = find(getenv("TARS_ISA"));
  return named != nullptr ? named : find(nullptr);
}

std::atomic<const KernelTable*> chosen{choose()};

}  // namespace

const KernelTable& kernels() { return *chosen.load(std::memory_order_relaxed); }

bool selectKernels(const char* name) {
  const KernelTable* table = find(name);
  if (table != nullptr) chosen.store(table, std::memory_order_relaxed);
  return table != nullptr;
}

}  // namespace tars
