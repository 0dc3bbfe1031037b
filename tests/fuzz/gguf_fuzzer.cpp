// The reader of GGUF headers against any bytes, and the writer: what parses is written and parses
// again to the same.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/checked.h"
#include "fuzz/expect.h"
#include "fuzz/gguf_promises.h"
#include "sluice/gguf.h"

namespace sluice::fuzzing {
namespace {

using gguf::Header;

/// What reading a prefix of a file of some size led to.
struct Outcome {
  bool failed = false;
  std::optional<Header> header;
};

Outcome parse(std::span<const std::byte> prefix, std::uint64_t file_size) {
  try {
    return {false, gguf::parse_header(prefix, file_size, kFile)};
  } catch (const Error& error) {
    expect_clear(error);
    FUZZ_EXPECT(error.context().offset);
    return {true, std::nullopt};
  }
}

void expect_written_as_read(Header header, std::uint64_t file_size) {
  const std::vector<std::byte> bytes = gguf::serialize_header(header);
  // A scalar, which has no extents in the file, is read and written as one extent of 1.
  const auto ones = static_cast<std::uint64_t>(
      std::ranges::count(header.tensors, std::vector<std::uint64_t>{1}, &gguf::Tensor::shape));
  FUZZ_EXPECT(bytes.size() >= header.data_offset);
  FUZZ_EXPECT(bytes.size() <= align_up(header.data_offset + 8 * ones, header.alignment));
  const std::uint64_t more = bytes.size() - header.data_offset;
  file_size += std::min(more, std::numeric_limits<std::uint64_t>::max() - file_size);
  header.data_offset = bytes.size();
  const Outcome again = parse(bytes, std::max<std::uint64_t>(file_size, bytes.size()));
  FUZZ_EXPECT(again.header);
  expect_same(*again.header, header);
}

void expect_laid_out(Header header) {
  try {
    const std::uint64_t size = gguf::lay_out(header.tensors, header.alignment);
    FUZZ_EXPECT(size % header.alignment == 0);
    if (size < std::numeric_limits<std::uint64_t>::max() - header.data_offset) {
      expect_written_as_read(header, header.data_offset + size);
    }
  } catch (const Error& error) {
    FUZZ_EXPECT(error.code() == ErrorCode::input_format);
  }
}

/// Reads the bytes as the beginning of a file of `file_size`.
void try_size(std::span<const std::byte> bytes, std::uint64_t file_size) {
  const Outcome whole = parse(bytes, file_size);
  if (file_size == bytes.size()) FUZZ_EXPECT(whole.failed || whole.header);
  // Less of the same file may leave the question open, but not lead elsewhere.
  const std::size_t cut = bytes.empty() ? 0 : std::to_integer<std::size_t>(bytes.back());
  const Outcome part = parse(bytes.first(bytes.size() * cut / 256), file_size);
  if (part.failed) FUZZ_EXPECT(whole.failed);
  if (part.header) FUZZ_EXPECT(whole.header);
  if (!whole.header) return;
  if (part.header) expect_same(*part.header, *whole.header);
  expect_sound(*whole.header, file_size);
  expect_written_as_read(*whole.header, file_size);
  expect_laid_out(*whole.header);
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  sluice::fuzzing::try_size(bytes, size);
  sluice::fuzzing::try_size(bytes, std::uint64_t{1} << 40);  // its tensors' data are not at hand
  sluice::fuzzing::try_size(bytes, std::numeric_limits<std::uint64_t>::max());
  return 0;
}
