// Headers of safetensors files, of any bytes.
//
// Input: eight bytes of the file's size, then the file's first bytes.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/checked.h"
#include "checkpoint/safetensors.h"
#include "fuzz/expect.h"
#include "fuzz/input.h"

namespace sluice::fuzzing {
namespace {

/// The tensors cover the data without holes and overlaps, each with what its shape takes.
void expect_covered(const std::vector<checkpoint::Entry>& entries, std::uint64_t begin,
                    std::uint64_t end) {
  std::set<std::string> names;
  for (const checkpoint::Entry& entry : entries) {
    FUZZ_EXPECT(names.insert(entry.name).second);
    FUZZ_EXPECT(entry.offset == begin);
    std::optional<std::uint64_t> bits = checkpoint::bits(entry.dtype);
    const bool empty = std::ranges::find(entry.shape, 0u) != entry.shape.end();
    for (const std::uint64_t extent : entry.shape) bits = checked_mul(bits.value_or(0), extent);
    FUZZ_EXPECT(empty ? entry.size == 0 : bits && *bits / 8 == entry.size && *bits % 8 == 0);
    begin += entry.size;
  }
  FUZZ_EXPECT(begin == end);
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::fuzzing;
  Input input(data, size);
  // A small number is so many bytes more than there are.
  const auto number = input.number<std::uint64_t>();
  const auto bytes = input.rest();
  const std::uint64_t file_size = number < (1u << 20) ? bytes.size() + number : number;
  if (file_size < bytes.size()) return 0;
  try {
    const std::uint64_t start = checkpoint::data_offset(bytes, file_size, kFile);
    FUZZ_EXPECT(start >= checkpoint::kLengthBytes && start <= file_size);
    if (start > bytes.size()) return 0;
    expect_covered(checkpoint::parse_header(bytes.first(start), file_size, kFile), start,
                   file_size);
  } catch (const Error& error) {
    expect_clear(error);
  }
  return 0;
}
