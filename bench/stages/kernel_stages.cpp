#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "base/checksum.h"
#include "codec/measures.h"
#include "io/output_buffer.h"
#include "rows.h"
#include "sluice/codec.h"
#include "stages.h"

namespace sluice::bench {
namespace {

constexpr std::size_t kChunk = std::size_t{4} << 20;  // a unit's
constexpr std::size_t kStrip = 32768;                 // weights

/// The least of some times: what others on the machine add is left out.
double seconds_of(const std::function<void()>& step) {
  double least = 1e9;
  for (int i = 0; i < 15; ++i) {
    const double begun = thread_seconds();
    step();
    least = std::min(least, thread_seconds() - begun);
  }
  return least;
}

std::vector<std::byte> bf16_chunk() {
  const Rows& some = rows();
  std::vector<std::byte> chunk(kChunk);
  const EncodeRows all{some.values.data(), Rows::kRows, Rows::kRowElements, nullptr};
  for (std::size_t at = 0; at < kChunk; at += Rows::kElements * 2) {
    find_codec(TensorType::bf16)->encode(all, &chunk[at]);
  }
  return chunk;
}

}  // namespace

KernelCosts kernel_costs() {
  const std::vector<std::byte> chunk = bf16_chunk();
  const Codec& bf16 = *find_codec(TensorType::bf16);
  std::vector<float> strip(kStrip);
  KernelCosts costs;
  bool all = true;
  std::uint64_t sum = 0;
  costs.decode = seconds_of([&] {
    for (std::size_t at = 0; at < kChunk; at += 2 * kStrip) {
      bf16.decode(&chunk[at], strip.data(), kStrip);
      all = all && largest_magnitude(strip) < 1e30f;
    }
  });
  costs.check = seconds_of([&] { all = all && bf16.scales_finite(chunk.data(), kChunk / 2); });
  costs.crc32 = seconds_of([&] { sum += crc32_of(chunk); });
  costs.xxh3 = seconds_of([&] { sum += xxh3_of(chunk); });
  io::OutputBuffer buffer(kChunk / io::OutputBuffer::kExtent, 100 * kChunk, {});
  std::uint64_t at = 0;
  costs.put = seconds_of([&] {
    all = all && buffer.put_all(at, chunk);
    at += kChunk;
    buffer.take_ready(kChunk, kChunk);
  });
  if (!all || sum == 0) return {};
  for (double* cost : {&costs.decode, &costs.check, &costs.crc32, &costs.xxh3, &costs.put}) {
    *cost /= static_cast<double>(kChunk);
  }
  return costs;
}

double encode_cost(const std::string& type) {
  const Codec& codec = *find_codec(find_tensor_type(type)->type);
  const Rows& some = rows();
  std::vector<std::byte> blocks(byte_size(codec.type, Rows::kElements));
  const EncodeRows all{some.values.data(), Rows::kRows, Rows::kRowElements, some.importance.data()};
  return seconds_of([&] { codec.encode(all, blocks.data()); }) / double{Rows::kElements};
}

}  // namespace sluice::bench
