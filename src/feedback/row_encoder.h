#pragma once

#include <cstddef>

#include "codec/feedback.h"
#include "feedback/feedback.h"
#include "linear/kernels.h"
#include "linear/matrix.h"
#include "linear/moments.h"

namespace sluice::feedback {

/// Some rows on their way to blocks. What is kept between the steps are the blocks, in the file's
/// format, the rows' errors E = W - Q, and E U.
class RowEncoder {
 public:
  static std::size_t scratch_numbers(std::size_t n);

  RowEncoder(const linear::ConstMatrix& weights, const linear::Factor& factor,
             const Settings& settings, float* scratch, std::byte* out);

  /// One pass from the first column to the last: each block makes up for the errors of those before.
  void encode();

  /// One sweep of coordinate descent, from the first column to the last.
  void improve();

  /// Multiplies each row by what takes its shrinkage back; what became of the rows then.
  Errors correct_bias();

  /// Last of all: stores rows between one another, of types that do.
  void bring_rows_together();

 private:
  /// A panel of U, and its columns.
  struct Panel {
    std::size_t index;
    std::size_t first;
    std::size_t count;
  };
  using Step = decltype(FeedbackKernel::encode);

  /// Of types whose rows have one.
  void choose_row_scales();

  Panel panel(std::size_t index) const;
  /// Makes the weights, D, the diagonal of H and the square block of U of a panel ready.
  void load(const Panel& panel);
  void load_unit(const Panel& panel);

  /// The columns of U behind the panel's, in its rows.
  linear::ConstMatrix rows_of_u(const Panel& panel, std::size_t later) const;

  /// out += a b, the columns of a being as many as the rows of b.
  void add_product(const linear::ConstMatrix& a, const linear::ConstMatrix& b,
                   const linear::Matrix& out);
  /// out += a b^T
  void add_transposed(const linear::ConstMatrix& a, const linear::ConstMatrix& b,
                      const linear::Matrix& out);

  /// Calls the kernel for a block, whose first column in the panel is `at`, of all rows.
  void call(Step step, const Panel& panel, std::size_t at, const linear::ConstMatrix& unit,
            const linear::ConstMatrix& shift);

  /// What all errors ask of a panel: E H.
  void pull(const Panel& panel, const linear::Matrix& out);
  void improve(const Panel& panel);
  void multiply_row(std::size_t row, float factor);

  const linear::ConstMatrix& weights_;
  const linear::Factor& factor_;
  const Settings& settings_;
  const FeedbackKernel& kernel_;
  const linear::Kernels& products_;
  std::size_t block_bytes_;
  std::size_t row_bytes_;
  std::byte* out_;

  linear::Matrix errors_;  // E, with rows of zeros that make the last 16 whole
  linear::Matrix fed_;     // E U
  linear::Matrix values_;  // a panel of W, likewise
  linear::Matrix pull_;    // a panel of E H
  linear::Matrix other_;   // a panel
  linear::Matrix unit_;    // the square block of U: ones on its diagonal, zeros below
  float* weight_;          // D of a panel
  float* metric_;          // the diagonal of H, of a panel
  float* product_scratch_;
};

}  // namespace sluice::feedback
