// Models in several files: parts of any bytes, joined.
//
// Input: one byte of how many parts; for each but the last two bytes of its length; the parts.

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "fuzz/expect.h"
#include "fuzz/gguf_promises.h"
#include "fuzz/input.h"
#include "gguf/split.h"
#include "sluice/gguf.h"

namespace sluice::fuzzing {
namespace {

using gguf::Part;

std::optional<Part> parse_part(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kRoomForData = std::uint64_t{1} << 40;
  auto header = gguf::parse_header(bytes, bytes.size() + kRoomForData, kFile);
  if (!header) return std::nullopt;
  return Part{kFile, *std::move(header)};
}

void expect_names(const gguf::Split& split) {
  FUZZ_EXPECT(split.count >= 2 && split.count <= 65535 && split.no < split.count);
  // Without the numbers the name is refused; with them every part leads to the same names.
  try {
    (void)gguf::part_files(kFile, split);
    FUZZ_EXPECT(false);
  } catch (const Error& error) {
    expect_clear(error);
  }
}

void expect_joined(const gguf::Model& model, const std::vector<Part>& parts) {
  FUZZ_EXPECT(model.parts.size() == model.header.tensors.size());
  FUZZ_EXPECT(model.header.find("split.count") == nullptr);
  std::set<std::string> names;
  std::size_t total = 0;
  for (const Part& part : parts) total += part.header.tensors.size();
  FUZZ_EXPECT(total == model.header.tensors.size());
  for (std::size_t i = 0; i < total; ++i) {
    const gguf::Tensor& tensor = model.header.tensors[i];
    FUZZ_EXPECT(names.insert(tensor.name).second);
    FUZZ_EXPECT(model.parts[i] < parts.size());
    FUZZ_EXPECT(i == 0 || model.parts[i - 1] <= model.parts[i]);
    FUZZ_EXPECT(tensor.offset % parts[model.parts[i]].header.alignment == 0);
  }
}

void run(Input input) {
  const std::size_t count = 1 + input.below(4);
  std::vector<std::size_t> lengths;
  for (std::size_t i = 1; i < count; ++i) lengths.push_back(input.number<std::uint16_t>());
  std::vector<Part> parts;
  try {
    for (std::size_t i = 0; i < count; ++i) {
      auto part = parse_part(i + 1 < count ? input.take(lengths[i]) : input.rest());
      if (!part) return;
      if (const auto split = gguf::split_of(part->header, kFile)) expect_names(*split);
      parts.push_back(*std::move(part));
    }
    expect_joined(gguf::merge_parts(parts), parts);
  } catch (const Error& error) {
    expect_clear(error);
  }
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzzing::run({data, size});
  return 0;
}
