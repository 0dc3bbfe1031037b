#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/text.h"
#include "gguf/bytes.h"
#include "gguf/value_type.h"
#include "sluice/error.h"
#include "sluice/gguf.h"

namespace sluice::gguf {

// Bounds on what a header may ask for. Real ones stay far below: the largest vocabularies make
// headers of some 20 MiB, and llama.cpp reads no nested arrays at all. Without the first, a sparse
// file of a terabyte could make the caller read all of it.
inline constexpr std::uint64_t kLongestHeader = 256ull << 20;
inline constexpr int kDeepestArray = 8;

// The fewest bytes that a string and an array take: what counts are checked against.
inline constexpr std::uint64_t kLeastString = 8;
inline constexpr std::uint64_t kLeastArray = 12;

inline constexpr const char* kDamaged =
    "The file is incomplete or damaged: copy or download it again";

/// Thrown when the header goes on beyond the prefix: the caller can read more.
struct PrefixEnds {};

/// A cursor over the prefix that checks every step against the file's size.
class Reader {
 public:
  Reader(std::span<const std::byte> prefix, std::uint64_t file_size, const std::string& file)
      : prefix_(prefix.first(std::min<std::uint64_t>(prefix.size(), file_size))),
        file_size_(file_size),
        file_(file) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t file_size() const { return file_size_; }

  /// What is being read, for error messages.
  void about(std::string tensor, std::string key) {
    tensor_ = std::move(tensor);
    key_ = std::move(key);
  }

  [[noreturn]] void fail(ErrorCode code, const std::string& message, std::uint64_t offset,
                         std::string cure) const {
    throw Error(code, key_.empty() ? message : fmt::format("key '{}': {}", key_, message),
                {.file = file_, .tensor = tensor_, .offset = offset, .cure = std::move(cure)});
  }
  [[noreturn]] void fail(const std::string& message, std::uint64_t offset) const {
    fail(ErrorCode::input_format, message, offset, kDamaged);
  }

  /// Fails unless the file still has room for `count` items of at least `least` bytes each.
  void expect_room(std::uint64_t count, std::uint64_t least, const char* items) const {
    if (count > (file_size_ - position_) / least) {
      fail(ErrorCode::input_truncated,
           fmt::format("the header announces {} {}, more than the file's {} bytes can hold", count,
                       items, file_size_),
           position_, kDamaged);
    }
    if (count > kLongestHeader / least) {
      fail(fmt::format("the header announces {} {}", count, items), position_);
    }
  }

  std::span<const std::byte> take(std::uint64_t size) {
    if (size > file_size_ - position_) {
      fail(ErrorCode::input_truncated,
           fmt::format("the header goes on for {} bytes here, but the file has only {}", size,
                       file_size_),
           position_, kDamaged);
    }
    if (size > kLongestHeader - position_) {
      fail(fmt::format("the header is larger than {} MiB", kLongestHeader >> 20), position_);
    }
    if (size > prefix_.size() - position_) throw PrefixEnds{};
    const auto bytes = prefix_.subspan(position_, size);
    position_ += size;
    return bytes;
  }

  template <typename T>
  T number() {
    return load<T>(take(sizeof(T)).data());
  }

  /// A key or a tensor's name, as it lies in the prefix.
  std::string_view name(const char* kind, std::uint64_t longest) {
    const std::uint64_t start = position_;
    const auto length = number<std::uint64_t>();
    if (length == 0) fail(fmt::format("a {} is empty", kind), start);
    if (length > file_size_ - position_) take(length);  // reports the truncation
    if (length > longest) {
      fail(fmt::format("a {} has {} bytes; at most {} are allowed", kind, length, longest), start);
    }
    const auto bytes = take(length);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!is_plain_utf8(text)) {
      fail(fmt::format("the {} '{}' is not UTF-8 text", kind, printable(text)), start);
    }
    return text;
  }

  /// The bytes of a value.
  std::span<const std::byte> value(ValueType type) {
    const std::uint64_t start = position_;
    skip_value(type, 0);
    return prefix_.subspan(start, position_ - start);
  }

 private:
  /// Recurses as deep as arrays nest, which is bounded.
  void skip_value(ValueType type, int depth) {
    if (const std::size_t size = fixed_size(type)) {
      take(size);
    } else if (type == ValueType::string) {
      take(number<std::uint64_t>());
    } else if (type == ValueType::array) {
      skip_array(depth + 1);
    } else {
      fail(fmt::format("value type {} is unknown", static_cast<std::uint32_t>(type)), position_);
    }
  }

  void skip_array(int depth) {
    if (depth > kDeepestArray) {
      fail(fmt::format("arrays are nested more than {} deep", kDeepestArray), position_);
    }
    const auto element = static_cast<ValueType>(number<std::uint32_t>());
    const auto count = number<std::uint64_t>();
    if (const std::size_t size = fixed_size(element)) {
      expect_room(count, size, "array elements");
      take(count * size);
      return;
    }
    expect_room(count, element == ValueType::array ? kLeastArray : kLeastString, "array elements");
    for (std::uint64_t i = 0; i < count; ++i) skip_value(element, depth);
  }

  std::span<const std::byte> prefix_;
  std::uint64_t file_size_;
  const std::string& file_;
  std::uint64_t position_ = 0;
  std::string tensor_;
  std::string key_;
};

}  // namespace sluice::gguf
