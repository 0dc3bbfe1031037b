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
  const TensorTypeInfo& stored = info(type);
  constexpr std::size_t kMostBlocks = 64;  // of a row
  const std::size_t heads = std::size_t{stored.rows} * stored.row_bytes;
  const std::size_t room = input.rest().size() - std::min(input.rest().size(), heads);
  const std::size_t blocks =
      std::min(kMostBlocks, room / (std::size_t{stored.rows} * stored.block_bytes));
  if (blocks == 0) return;
  const auto bytes = input.take(heads + stored.rows * blocks * stored.block_bytes);
  const std::vector<std::byte> exact(bytes.begin(), bytes.end());  // so that ASan sees its ends
  const std::size_t elements = stored.rows * blocks * stored.block_elements;
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
