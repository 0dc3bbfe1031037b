#pragma once

#include <cstddef>
#include <cstdint>

#include "sluice/codec.h"

// What a type's kernels do for error feedback (src/feedback): they choose the codes of one block of
// 16 rows, which lie in the 16 lanes, when what the errors of all other blocks ask for is known.

namespace sluice {

inline constexpr std::size_t kFeedbackRows = 16;

/// Numbers of 16 rows, each so many numbers behind the one before.
template <typename Number>
struct SixteenRows {
  Number* data;
  std::size_t stride;

  Number* row(std::size_t r) const { return data + r * stride; }
};

/// One block's columns of 16 rows. "Cost" below is the sum over columns of D (e U)^2, e being
/// the rows' errors w - q in these columns, plus, of the columns before, what is in `shift`.
struct FeedbackColumns {
  SixteenRows<const float> values;  ///< weights w
  SixteenRows<const float> shift;   ///< what errors elsewhere ask for: codes aim at w + shift
  const float* unit;  ///< [columns, columns] the block of U, its rows `stride` apart; only what is
                      ///< strictly above the diagonal is read
  std::size_t stride;
  const float* weight;  ///< [columns] D, positive
  const float* metric;  ///< [columns] the diagonal of H itself, positive: what an error costs if
                        ///< nothing makes up for it
  Effort effort = Effort::best;
};

/// Of one type. All cannot fail, and give the same bytes on each instruction set.
struct FeedbackKernel {
  TensorType type;
  std::size_t columns;   ///< of a block
  std::size_t row_head;  ///< bytes that a row begins with, its scale; of most types 0

  /// What products of matrices multiply by, beyond what rows decode to: at last a row's scale is to be
  /// divided by it.
  float runtime_factor;

  /// Chooses a row's scale, of all its columns; null where there is none.
  /// \param row   one row, its importance being the diagonal of H
  /// \param head  of the row
  void (*choose_row_scale)(const EncodeRows& row, std::byte* head) noexcept;

  /// Chooses everything but a row's scale: super-block scales, scales as they come, codes. A group's
  /// error reaches those behind it through `unit`.
  /// \param blocks  16 times the head of a row and behind it a block, `block_stride` bytes apart
  /// \param errors  get w - q, q being what the blocks decode to
  void (*encode)(const FeedbackColumns& columns, std::byte* blocks, std::size_t block_stride,
                 const SixteenRows<float>& errors) noexcept;

  /// Chooses codes and scales of sub-blocks again, super-block scales as they are, sub-block after
  /// sub-block, each given all others (coordinate descent); keeps what is no better.
  /// Here `unit` is the block of H itself (all of it is read), `weight` is not used, and `shift` is
  /// what the errors of all other blocks ask for: the sum over their columns k of e_k H_kj, for each
  /// column j of this one.
  void (*improve)(const FeedbackColumns& columns, std::byte* blocks, std::size_t block_stride,
                  const SixteenRows<float>& errors) noexcept;

  /// Multiplies the super-block scales of one block, or the scale of a row, by a factor, as nearly as
  /// they can be coded, but none to zero or beyond what is finite.
  /// \param block  with the head of its row before it
  void (*rescale)(std::byte* block, float factor) noexcept;

  /// Of types that store several rows between one another, whose rows until then are each by itself:
  /// makes a group of them as it is stored. Null where rows are.
  /// \param rows  as many as are stored together, each `row_bytes` behind the one before
  /// \param out   as many bytes
  void (*bring_together)(const std::byte* rows, std::size_t row_bytes, std::byte* out) noexcept;
};

/// The kernel of a type, or null if it has none.
/// \pre `isa` is one of supported_isas()
const FeedbackKernel* find_feedback(TensorType type, Isa isa = best_isa()) noexcept;

}  // namespace sluice
