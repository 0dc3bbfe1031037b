#pragma once

// Numbers to and from the little-endian bytes of files, which may lie at any address.

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace sluice {

static_assert(std::endian::native == std::endian::little, "file bytes are used as they are");

/// The number at `bytes`, aligned or not.
template <typename T>
T load(const std::byte* bytes) noexcept {
  static_assert(std::is_arithmetic_v<T>);
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  return value;
}

/// Appends bytes. (Not by `insert`, whose expansion g++ 12 warns about, wrongly.)
inline void append_bytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const std::size_t at = out.size();
  out.resize(at + bytes.size());
  std::memcpy(out.data() + at, bytes.data(), bytes.size());
}

/// Appends a number.
template <typename T>
void append(std::vector<std::byte>& out, T value) {
  static_assert(std::is_arithmetic_v<T>);
  append_bytes(out, std::as_bytes(std::span(&value, 1)));
}

}  // namespace sluice
