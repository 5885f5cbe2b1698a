// Memory read bandwidth: THREADS threads sum BYTES of memory that they share out among themselves, far more than any cache
// holds, PASSES times; prints the median pass in GB/s. Usage: read-bandwidth THREADS MEGABYTES PASSES
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

namespace {

// Wider than a vector register, so that the compiler keeps several independent sums: one alone would wait for its own additions.
constexpr size_t kLanes = 64;

uint64_t sum(const uint64_t* words, size_t count) {
  uint64_t lanes[kLanes] = {};
  for (size_t word = 0; word + kLanes <= count; word += kLanes) {
    for (size_t lane = 0; lane < kLanes; lane++) {
      lanes[lane] += words[word + lane];
    }
  }
  uint64_t total = 0;
  for (const uint64_t lane : lanes) {
    total += lane;
  }
  return total;
}

double pass_seconds(const uint64_t* words, size_t count, size_t num_threads, std::vector<uint64_t>& sums) {
  const size_t share = count / num_threads;
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < num_threads; thread++) {
    threads.emplace_back([=, &sums] { sums[thread] += sum(words + thread * share, share); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: read-bandwidth THREADS MEGABYTES PASSES\n");
    return 2;
  }
  const size_t num_threads = std::max(1, std::atoi(argv[1]));
  const size_t count = static_cast<size_t>(std::max(1, std::atoi(argv[2]))) * 1000 * 1000 / sizeof(uint64_t);
  const int passes = std::max(1, std::atoi(argv[3]));
  // Written, because pages that were never written all read the same zeros from a cache.
  const std::unique_ptr<uint64_t[]> words(new uint64_t[count]);
  for (size_t word = 0; word < count; word++) {
    words[word] = word;
  }
  std::vector<uint64_t> sums(num_threads, 0);
  std::vector<double> seconds;
  for (int pass = 0; pass < passes; pass++) {
    seconds.push_back(pass_seconds(words.get(), count, num_threads, sums));
  }
  std::sort(seconds.begin(), seconds.end());
  uint64_t total = 0;
  for (const uint64_t part : sums) {
    total += part;
  }
  const double bytes = static_cast<double>(count / num_threads * num_threads * sizeof(uint64_t));
  // The sum is printed so that it has to be computed.
  std::printf("%.3f GB/s (sum %llu)\n", bytes / seconds[seconds.size() / 2] / 1e9, static_cast<unsigned long long>(total));
  return 0;
}
