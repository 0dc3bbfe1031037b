#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sluice/codec.h"

namespace sluice {

/// Weights that came out smaller than they are, since their type's range ends below them.
struct LostRange {
  std::uint64_t weights = 0;
  float largest = 0;  ///< the one of the largest magnitude
  float became = 0;   ///< what it decodes to

  void add(const LostRange& other);
};

/// A range that all have: F16's, and that of types whose block has one F16 scale and codes of -1, 0
/// and 1; but NVFP4's scales, of eight bits, end at 448.
constexpr float least_range(TensorType type) noexcept {
  return type == TensorType::nvfp4 ? 6 * 448.0f : 65504.0f;
}

/// Looks for weights beyond the range of their type.
///
/// A type's range is no number where a block has a scale and an offset, or super-blocks have scales
/// of scales. So each block that holds a weight beyond least_range() is encoded again with its values
/// divided by a power of two: what is further off as it is than that is lost to the range. The
/// second encoding is as slow as the first, so that this is for strips that hold such weights.
/// \param rows    as they were encoded
/// \param blocks  to what
LostRange find_lost_range(const Codec& codec, const EncodeRows& rows, const std::byte* blocks);

}  // namespace sluice
