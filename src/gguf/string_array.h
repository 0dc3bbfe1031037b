#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "gguf/bytes.h"
#include "sluice/gguf.h"

namespace sluice::gguf {

/// An array of strings that is put together string by string, in the bytes that a value has.
class StringArray {
 public:
  StringArray();

  void add(std::string_view text);
  std::uint64_t size() const { return size_; }

  template <class Use>
  void for_each(Use use) const {
    const std::byte* at = value_.bytes.data() + kHead;
    for (std::uint64_t i = 0; i < size_; ++i) {
      const auto length = load<std::uint64_t>(at);
      at += sizeof(length);
      use(std::string_view(reinterpret_cast<const char*>(at), length));
      at += length;
    }
  }

  Value value() &&;

 private:
  static constexpr std::size_t kHead = sizeof(std::uint32_t) + sizeof(std::uint64_t);

  Value value_;
  std::uint64_t size_ = 0;
};

}  // namespace sluice::gguf
