#pragma once

#include <cstddef>

#include "sluice/gguf.h"

namespace sluice::gguf {

/// Bytes of a value of this type; 0 for strings, arrays and unknown types.
constexpr std::size_t fixed_size(ValueType type) noexcept {
  switch (type) {
    case ValueType::u8:
    case ValueType::i8:
    case ValueType::boolean:
      return 1;
    case ValueType::u16:
    case ValueType::i16:
      return 2;
    case ValueType::u32:
    case ValueType::i32:
    case ValueType::f32:
      return 4;
    case ValueType::u64:
    case ValueType::i64:
    case ValueType::f64:
      return 8;
    case ValueType::string:
    case ValueType::array:
      break;
  }
  return 0;
}

}  // namespace sluice::gguf
