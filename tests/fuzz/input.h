#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "sluice/tensor_type.h"

namespace sluice::fuzzing {

/// Takes choices off the front of what the fuzzer gives; zeros when nothing is left.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(std::as_bytes(std::span(data, size))) {}

  bool empty() const { return rest_.empty(); }
  std::span<const std::byte> rest() const { return rest_; }

  std::span<const std::byte> take(std::size_t size) {
    const auto bytes = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(bytes.size());
    return bytes;
  }

  template <typename T>
  T number() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    const auto bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  /// One of `types`: by its number in files, so that a kept input means the same when there are
  /// more.
  TensorType type(const std::vector<TensorType>& types) {
    const auto number = this->number<std::uint8_t>();
    const auto is_meant = [&](TensorType t) { return static_cast<std::uint32_t>(t) == number; };
    const auto it = std::find_if(types.begin(), types.end(), is_meant);
    return it == types.end() ? types[number % types.size()] : *it;
  }

  /// Of [0, n).
  std::size_t below(std::size_t n) { return number<std::uint8_t>() % n; }

 private:
  std::span<const std::byte> rest_;
};

}  // namespace sluice::fuzzing
