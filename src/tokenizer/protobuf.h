#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/error.h"
#include "tokenizer/failure.h"

namespace sluice::tokenizer {

/// A message of Google's protocol buffers, field by field.
class Protobuf {
 public:
  enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  struct Field {
    std::uint64_t number = 0;
    Wire wire = Wire::varint;
    std::uint64_t value = 0;  ///< of a varint
    std::string_view bytes;   ///< of all others, little-endian
    std::size_t offset = 0;   ///< of the bytes in the file
  };

  /// \param offset  of the message in the file, for messages of errors
  Protobuf(std::string_view bytes, const std::string& file, std::size_t offset)
      : rest_(bytes), file_(file), offset_(offset) {}

  bool ends() const { return rest_.empty(); }

  /// \throws Error (input_format): the message ends within the field, or its kind is unknown.
  Field next() {
    const std::uint64_t tag = varint();
    Field field{.number = tag >> 3, .wire = static_cast<Wire>(tag & 7), .bytes = {}};
    switch (field.wire) {
      case Wire::varint:
        field.value = varint();
        break;
      case Wire::fixed64:
        field.bytes = take(8);
        break;
      case Wire::bytes:
        field.bytes = take(varint());
        break;
      case Wire::fixed32:
        field.bytes = take(4);
        break;
      default:
        fail_here("a field of unknown kind");
    }
    field.offset = offset_ - field.bytes.size();
    return field;
  }

  [[noreturn]] void fail_here(const char* what) const {
    throw Error(ErrorCode::input_format, std::string("is no SentencePiece model: ") + what,
                {.file = file_, .offset = offset_, .cure = kBrokenFile});
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) fail_here("a field goes on beyond the end");
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    offset_ += size;
    return bytes;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(take(1).front());
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail_here("a number of more than 64 bits");
  }

  std::string_view rest_;
  const std::string& file_;
  std::size_t offset_;
};

}  // namespace sluice::tokenizer
