// What each stage of a run costs, and at how many cores the threads of which a run has one are its
// limit: measured with an encoder and a disk that take no time.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include "sluice/tensor_type.h"
#include "stages.h"

namespace {

using namespace sluice;
using namespace sluice::bench;

constexpr double kGb = 1e9;
constexpr double kInput = 2;  // bytes of a weight of BF16

void print_stages(const KernelCosts& kernels, const ThreadCosts& threads) {
  fmt::print("| stage | runs on | GB/s a core |\n| --- | --- | --- |\n");
  const auto row = [](const char* stage, const char* on, double cost) {
    fmt::print("| {} | {} | {:.1f} |\n", stage, on, 1 / cost / kGb);
  };
  row("decode BF16, look for NaN", "workers", kernels.decode);
  row("look for NaN in BF16 that is copied", "workers", kernels.check);
  row("CRC-32", "workers", kernels.crc32);
  row("XXH3", "workers", kernels.xxh3);
  row("copy into the output's buffer", "workers", kernels.put);
  row("ask for reads: input, null disk", "reader", threads.reader);
  row("look what is cached: input", "reader", threads.reader_cached);
  row("copy what is cached: input", "workers", threads.fill);
  row("finish units: input, null encoder", "writer", threads.writer);
  row("finish units: cached input, null encoder", "writer", threads.writer_cached);
  row("start writes: output, null disk", "writer", threads.writes);
}

/// At how many cores a thread that costs so much is as busy as each of them.
void print_limits(const KernelCosts& kernels, const ThreadCosts& threads) {
  fmt::print(
      "\n| type | M weights/s a core | reader | writer | reader, cached | writer, cached |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  for (const char* type : {"IQ1_M", "Q4_K", "Q8_0", "F16"}) {
    const double output = bits_per_weight(find_tensor_type(type)->type) / 8;
    const double worker = kInput * kernels.decode + encode_cost(type) +
                          output * (kernels.crc32 + kernels.xxh3 + kernels.put);
    const double cached = worker + kInput * threads.fill;
    const double writes = output * threads.writes;
    fmt::print("| {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.0f} |\n", type, 1e-6 / worker,
               worker / (kInput * threads.reader), worker / (kInput * threads.writer + writes),
               cached / (kInput * threads.reader_cached),
               cached / (kInput * threads.writer_cached + writes));
  }
}

}  // namespace

int main(int count, char** words) try {
  if (count != 2) {
    fmt::print(stderr, "usage: {} FILE (some hundred MB, in the page cache)\n", words[0]);
    return 2;
  }
  const KernelCosts kernels = kernel_costs();
  const ThreadCosts threads = thread_costs(words[1]);
  print_stages(kernels, threads);
  print_limits(kernels, threads);
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
