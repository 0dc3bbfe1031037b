#pragma once

// Types whose rows begin with a scale. It is chosen before the first block's codes are, and stays:
// feedback goes along the row, and what it makes of the later blocks is not known then. What feeds in
// enlarges the targets, so the scale is larger than the plain encoder's, and a sub-block's own scale
// is what follows them.

#include <cstddef>
#include <cstring>

#include "codec/feedback/frame.h"
#include "codec/i_quants/row_scale_encoder.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// By what the scale is larger (bench/notes/error_feedback.md).
inline constexpr float kRoomForFeedback = 1.2f;

template <typename Scale>
struct RowHead {
  Scale d;
};

/// A row of one block, of a type of codec/i_quants/row_scale_encoder.h.
template <HasRowScale BlockType>
struct RowBlock : RowHead<typename BlockType::RowScale>, BlockType {
  using RowScale = typename BlockType::RowScale;

  void decode(float* out) const noexcept { BlockType::decode(row_scale(this->d), out); }

  /// At the scales that are there.
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_at_row_scales<BlockType>(rows, out);
  }

  /// FeedbackKernel::choose_row_scale
  static void choose_row_scale(const EncodeRows& row, std::byte* head) noexcept {
    const float scale = kRoomForFeedback * best_row_scale<BlockType>(row);
    const RowScale stored =
        scale == 0 ? RowScale{0} : row_scale_encoder::round_row_scale(scale, 0, RowScale{});
    std::memcpy(head, &stored, sizeof stored);
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
