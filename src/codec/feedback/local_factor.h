#pragma once

#include <cstddef>

#include "codec/feedback/frame.h"
#include "codec/feedback/order.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// H = U D U^T of some columns.
template <std::size_t kSize>
struct LocalFactor {
  float unit[kSize * kSize];  ///< above the diagonal
  float weight[kSize];

  /// \param scale  a power of two that H is multiplied by
  /// \param order  the column at each place
  LocalFactor(const float* h, std::size_t stride, float scale, const Order<kSize>& order) noexcept {
    for (std::size_t i = 0; i < kSize; ++i) {
      const float* const row = h + order[i] * stride;
      for (std::size_t j = 0; j < kSize; ++j) unit[i * kSize + j] = row[order[j]] * scale;
    }
    for (std::size_t k = kSize; k-- > 0;) {
      // Rounding takes nothing from what other columns leave of a pivot but its last bits.
      const float least = h[k * stride + k] * scale * 0x1p-20f;
      const float pivot = unit[k * kSize + k] > least ? unit[k * kSize + k] : least;
      weight[k] = pivot;
      const float inverse = 1 / pivot;
      for (std::size_t i = 0; i < k; ++i) {
        const float u = unit[i * kSize + k] * inverse;
        for (std::size_t j = 0; j < k; ++j) unit[i * kSize + j] -= u * unit[k * kSize + j];
      }
      // Row k has been kept as it was: it is column k, of which H is as symmetric as it comes.
      for (std::size_t i = 0; i < k; ++i) unit[i * kSize + k] *= inverse;
    }
  }

  /// g becomes v.
  void solve(Floats* g) const noexcept {
    for (std::size_t j = kSize; j-- > 0;) {
      for (std::size_t i = 0; i < j; ++i) g[i] -= g[j] * unit[i * kSize + j];
      g[j] *= 1 / weight[j];
    }
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
