// Measures the kernels alone, without ONNX Runtime: bytes per second for few tokens, multiply-adds per second for many.
// Usage: tars_ops_bench [threads] [isa]. Needs about ten seconds of a quiet machine.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "tars/kernels.h"

namespace {

using Clock = std::chrono::steady_clock;

// Threads that stay awake between rounds, as those of a session do.
class Pool {
 public:
  explicit Pool(size_t threads) {
    for (size_t i = 1; i < threads; i++) workers_.emplace_back([this] { work(); });
  }
  ~Pool() {
    stop_ = true;
    round_++;
    for (std::thread& worker : workers_) worker.join();
  }
  void run(size_t numItems, const std::function<void(size_t)>& function) {
    function_ = &function;
    numItems_ = numItems;
    next_ = 0;
    busy_ = static_cast<int>(workers_.size());
    round_++;
    takeItems();
    while (busy_ > 0) {
    }
  }

 private:
  void takeItems() {
    for (size_t i; (i = next_++) < numItems_;) (*function_)(i);
  }
  void work() {
    for (size_t seen = 0;;) {
      while (round_ == seen) {
      }
      seen = round_;
      if (stop_) return;
      takeItems();
      busy_--;
    }
  }

  std::vector<std::thread> workers_;
  const std::function<void(size_t)>* function_ = nullptr;
  size_t numItems_ = 0;
  std::atomic<size_t> next_{0}, round_{0};
  std::atomic<int> busy_{0};
  std::atomic<bool> stop_{false};
};

struct Matrix {
  std::vector<uint8_t> memory;
  uint8_t* data;
  Matrix(tars::WeightType type, size_t numRows, size_t numCols, size_t copies) {
    const size_t bytes = (numRows + 15) / 16 * tars::groupBytes(type, numCols) * copies;
    memory.resize(bytes + 64);
    data = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    for (size_t i = 0; i < bytes; i++) data[i] = static_cast<uint8_t>(i * 7 & 0x3b);  // finite as halves and floats
  }
};

void measure(Pool& pool, tars::WeightType type, size_t tokens, size_t numRows, size_t numCols) {
  const tars::KernelTable& table = tars::kernels();
  const size_t matrixBytes = (numRows + 15) / 16 * tars::groupBytes(type, numCols);
  const size_t copies = tokens > 64 ? 1 : std::max<size_t>(1, (size_t{256} << 20) / matrixBytes);  // defeats the last-level cache
  Matrix weights(type, numRows, numCols, copies);
  std::vector<float> input(tokens * numCols, 0.25f), output(tokens * numRows);
  std::vector<uint8_t> panels(tars::panelBytes(tokens, numCols) + 64);
  const bool quantised = tars::isQuantised(type);
  const size_t numPanels = tars::numPanels(tokens, quantised ? table.panelRows : table.floatPanelRows);
  double best = 1e30;
  const auto begin = Clock::now();
  for (int round = 0; round < 4 || std::chrono::duration<double>(Clock::now() - begin).count() < 0.15; round++) {
    const auto start = Clock::now();
    for (size_t copy = 0; copy < copies; copy++) {
      tars::MatMulTask task = {};
      task.numPlanes = 1;
      task.type = type;
      task.weights = weights.data + copy * matrixBytes;
      task.numCols = numCols;
      task.numRows = numRows;
      task.numTokens = tokens;
      task.activations = input.data();
      task.panels = panels.data();
      task.output = output.data();
      if (quantised) {
        pool.run(numPanels, [&](size_t p) {
          const size_t token = tars::panelBegin(p, numPanels, tokens);
          table.quantisePanel(task, token, tars::panelBegin(p + 1, numPanels, tokens) - token);
        });
      }
      const size_t groups = (numRows + 15) / 16;
      pool.run((groups + 1) / 2, [&](size_t pair) {
        table.multiply(task, 2 * pair, std::min<size_t>(2, groups - 2 * pair), 0, numPanels);
      });
    }
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  const double macs = static_cast<double>(tokens) * numRows * numCols * copies;
  std::printf("%-6s %4zu tokens  %7.1f GB/s  %7.1f GMAC/s  %8.3f ms per matrix\n", tars::weightTypeInfo(type).name, tokens,
              matrixBytes * copies / best * 1e-9, macs / best * 1e-9, best / copies * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t threads = argc > 1 ? static_cast<size_t>(std::atoi(argv[1])) : std::thread::hardware_concurrency();
  if (argc > 2 && !tars::selectKernels(argv[2])) {
    std::printf("no %s here\n", argv[2]);
    return 1;
  }
  std::printf("%s, %zu threads, 2048 x 8192\n", tars::kernels().name, threads);
  Pool pool(threads);
  for (const char* name : {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k", "q2_k", "q3_k", "iq4_nl", "iq4_xs", "mxfp4", "f16", "bf16", "f32"}) {
    tars::WeightType type;
    tars::parseWeightType(name, &type);
    const bool isFloat = !tars::isQuantised(type);
    for (size_t tokens : {1, 2, 4, 8, 16, 512}) {
      if (isFloat && (tokens == 2 || tokens == 4)) continue;
      if (tars::kernels().panelRows == 2 && tokens > 16) continue;  // plain code would take seconds
      measure(pool, type, tokens, 8192, 2048);
    }
  }
  return 0;
}
