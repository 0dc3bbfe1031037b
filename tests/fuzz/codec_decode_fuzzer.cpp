// Every decoder against any blocks: nothing beyond them is read, and the kernels of every
// instruction set give the same values.
//
// Input: one byte for the type, then the blocks.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "sluice/codec.h"

namespace sluice::fuzzing {
namespace {

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, sizeof a) == 0;
}

std::vector<TensorType> all_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) types.push_back(codec.type);
  return types;
}

void run(Input input) {
  static const std::vector<TensorType> types = all_types();
  const TensorType type = input.type(types);
  constexpr std::size_t kMostBlocks = 64;
  const std::size_t blocks = std::min(kMostBlocks, input.rest().size() / info(type).block_bytes);
  const auto bytes = input.take(blocks * info(type).block_bytes);
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());  // so that ASan sees its ends
  const std::size_t elements = blocks * info(type).block_elements;
  std::vector<float> expected(elements);
  find_codec(type, Isa::portable)->decode(exact.data(), expected.data(), elements);
  for (const Isa isa : supported_isas()) {
    std::vector<float> values(elements);
    find_codec(type, isa)->decode(exact.data(), values.data(), elements);
    for (std::size_t i = 0; i < elements; ++i) FUZZ_EXPECT(same(values[i], expected[i]));
  }
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzzing::run({data, size});
  return 0;
}
