#pragma once

// What formats can do about zeros.

#include <cstddef>
#include <set>

#include "sluice/tensor_type.h"

namespace sluice::testing_support {

/// Whether a zero sub-block can be coded as zeros beside others that are not. In the other formats no
/// sub-block's scale and no code is zero.
inline bool has_zero(TensorType type) {
  static const std::set<TensorType> kWithoutZero = {
      TensorType::iq1_s,   TensorType::iq1_m,  TensorType::iq2_xxs, TensorType::iq2_xs,
      TensorType::iq2_s,   TensorType::iq3_s,  TensorType::iq3_xxs, TensorType::iq3_k,
      TensorType::iq4_kss, TensorType::iq4_ks, TensorType::iq5_ks,  TensorType::iq1_kt,
      TensorType::iq2_kt,  TensorType::q1_0,   TensorType::iq1_s_r4};
  return !kWithoutZero.contains(type);
}

/// So many weights of a row are never worse than zeros together: a super-block's, but the row's where
/// its scale is the only one that can be zero, or the only one that is compared with zeros.
inline std::size_t bearable_together(TensorType type, std::size_t row_elements) {
  const bool judged_as_row = !has_zero(type) || type == TensorType::iq1_m_r4;
  return info(type).row_bytes > 0 && judged_as_row ? row_elements : 256;
}

}  // namespace sluice::testing_support
