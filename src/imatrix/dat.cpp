#include <fmt/format.h>

#include <cstdint>

#include "base/text.h"
#include "gguf/bytes.h"
#include "imatrix/formats.h"
#include "sluice/error.h"

namespace sluice::imatrix {
namespace {

constexpr const char* kDamaged =
    "The file is damaged, incomplete or no importance matrix: copy it again or make it anew";

/// The fewest bytes of an entry: length, a name of one byte, calls, number of values, one value.
constexpr std::size_t kLeastEntry = 4 + 1 + 4 + 4 + 4;

/// A cursor over the file that checks every step.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }

  [[noreturn]] void fail(const std::string& message, std::size_t offset,
                         const std::string& tensor = {}) const {
    throw Error(ErrorCode::imatrix_format, message,
                {.file = file_, .tensor = tensor, .offset = offset, .cure = kDamaged});
  }

  std::int32_t number(const char* what) {
    if (left() < sizeof(std::int32_t))
      fail(fmt::format("the file ends before {}", what), position_);
    const auto value = load<std::int32_t>(bytes_.data() + position_);
    position_ += sizeof(value);
    return value;
  }

  /// A length, and that many bytes of text.
  std::string_view text(const char* what) {
    const std::size_t start = position_;
    const std::int32_t length = number(what);
    if (length < 0 || static_cast<std::size_t>(length) > left()) {
      fail(fmt::format("{} has a length of {} bytes, but {} are left in the file", what, length,
                       left()),
           start);
    }
    const auto* data = reinterpret_cast<const char*>(bytes_.data() + position_);
    position_ += static_cast<std::size_t>(length);
    return {data, static_cast<std::size_t>(length)};
  }

  void skip(std::size_t size) { position_ += size; }

 private:
  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::size_t position_ = 0;
};

void read_entry(Reader& in, ImportanceMatrix::Index& index) {
  const std::size_t start = in.position();
  const std::string_view name = in.text("a tensor name");
  if (name.empty() || !is_plain_utf8(name)) {
    in.fail(fmt::format("the tensor name '{}' is no text", printable(name)), start);
  }
  const std::int32_t calls = in.number("a number of calls");
  const std::size_t count_at = in.position();
  const std::int32_t count = in.number("a number of values");
  if (count < 1 || static_cast<std::size_t>(count) > in.left() / sizeof(float)) {
    in.fail(
        fmt::format("{} values are announced, but {} bytes are left in the file", count, in.left()),
        count_at, printable(name));
  }
  const auto values = static_cast<std::uint64_t>(count);
  const ImportanceMatrix::Entry entry{in.position(), 0, values, 0,
                                      calls > 0 ? static_cast<float>(calls) : 1.0f};
  if (!index.entries.emplace(name, entry).second) {
    in.fail("has two entries", start, printable(name));
  }
  in.skip(values * sizeof(float));
}

}  // namespace

ImportanceMatrix::Index index_dat(std::span<const std::byte> bytes, const std::string& file) {
  Reader in(bytes, file);
  const std::int32_t entries = in.number("the number of entries");
  if (entries < 1 || static_cast<std::size_t>(entries) > in.left() / kLeastEntry) {
    in.fail(fmt::format("not an importance matrix: neither GGUF nor a file of {} entries", entries),
            0);
  }
  ImportanceMatrix::Index index;
  for (std::int32_t i = 0; i < entries; ++i) read_entry(in, index);
  if (in.left() != 0) {
    const std::int32_t chunks = in.number("the number of chunks");
    if (chunks > 0) index.chunks = static_cast<std::uint64_t>(chunks);
  }
  if (in.left() != 0) index.dataset = in.text("the data set's name");
  return index;
}

}  // namespace sluice::imatrix
