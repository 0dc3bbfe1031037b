#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "sluice/codec.h"

namespace sluice {

/// How far off a region is that no right encoder is likely to have made from its source.
struct Excess {
  double error;  ///< sum (x - y)^2 / sum x^2; 1 for zeros, about 2 for weights of elsewhere
  double limit;  ///< the most that is taken for right here
  bool certain;  ///< in a single region; else two neighbours must exceed their limits
};

/// What a region looks like.
struct Judgement {
  double error = 0;  ///< sum (x - y)^2
  double norm = 0;   ///< sum x^2
  /// Nothing: a right encoder may have made it, or something is not finite, and so `error` is not.
  std::optional<Excess> excess = {};
};

/// Tells a right encoding of weights from a damaged one by its error, region by region: a block of
/// the type, or 256 weights of F32, F16 and BF16.
///
/// A fixed range for each type will not do. Q8_0 of Gaussian weights has an error of 4e-5 and IQ1_M
/// of 0.25, but a block with one huge value among small ones, or values below the smallest scale,
/// may come near 1 in any type and be as good as the type allows. So the range is asked of the data
/// itself: a region whose error is above what its type has on common weights is encoded again with
/// our own encoder, and that error decides. Right files hardly ever need it; damaged regions do.
///
/// With e the error that our own encoder reaches,
///
///     limit = min(10 sqrt(e), max(0.95, e + 0.35))
///
/// The first term leaves room for other quantizers, and for importances that this class was not
/// told. Of blocks with heavy tails, off centre and with mixed column sizes, under importances of
/// four decades, the worst in 32000 of sluice came to 0.5 of it, the worst in 12000 of llama.cpp
/// v0.5.0 to 0.6 (both Q4_1). The second keeps the limit below the error of zeros, 1, and of
/// unrelated weights of any size, 1 + r^2 - 2 r c with their size r and a chance correlation c; but
/// where our own encoder hardly does better than zeros, others do worse: llama.cpp's IQ2_XXS has
/// 1.13 on blocks with one huge weight, where ours has 0.9. There nothing is known. In types of few
/// bits, one block in thousands of such weights exceeds 0.95 by right (llama.cpp's IQ1_M came to
/// 1.02, our IQ2_K to 1): so up to 1.25, damage is certain only where two neighbours exceed.
///
/// With an importance matrix a region is right if either its plain or its weighted error is: an
/// encoder may give up a column that does not count.
///
/// What stays below the limit is not seen: a flipped low bit of a code, or any damage to weights
/// that together are smaller than 2^-13 (root mean square). At that size the rounding of the
/// smallest binary16 scales, times the 32 * 128 steps that Q6_K and IQ4_XS put on top of them, is
/// as large as the weights, and encoders differ in what they make of it.
class ErrorRange {
 public:
  /// \param row_elements  of what is judged
  /// \pre `type` has a decoder, and `isa` is one of supported_isas()
  ErrorRange(TensorType type, Isa isa, std::size_t row_elements);

  /// Weights of a region. Rows of quantized types hold whole regions.
  std::size_t region_elements() const noexcept { return region_elements_; }

  /// Judges region after region: calls found(first, count, judgement) with the place in `values`.
  /// \param values      whole regions but for the last; of types that are not all blocks, what is
  ///                    stored together: whole rows, or groups of rows
  /// \param decoded     what the encoding decodes to, as many
  /// \param importance  of a whole row, of which values[0] is in column `column`; empty: none
  template <typename Found>
  void judge_all(std::span<const float> values, std::span<const float> decoded,
                 std::span<const float> importance, std::size_t column, Found found) const {
    const auto importance_at = [&](std::size_t i) {
      return importance.empty() || !in_rows_ ? nullptr
                                             : importance.data() + (column + i) % importance.size();
    };
    for (std::size_t i = 0; i < values.size(); i += together_) {
      OwnEncoding own(codec_, values.subspan(i, std::min(together_, values.size() - i)), rows_,
                      importance_at(i));
      for (std::size_t j = 0; j < own.values().size(); j += region_elements_) {
        const std::size_t count = std::min(region_elements_, own.values().size() - j);
        found(i + j, count,
              judge(values.subspan(i + j, count), decoded.subspan(i + j, count),
                    importance_at(i + j), own, j));
      }
    }
  }

 private:
  /// What our own encoder makes of weights that are encoded together, when that is asked for.
  class OwnEncoding {
   public:
    OwnEncoding(const Codec& codec, std::span<const float> values, std::size_t rows,
                const float* importance)
        : codec_(codec), values_(values), rows_(rows), importance_(importance) {}

    std::span<const float> values() const { return values_; }
    /// As many as values().
    std::span<const float> decoded();
    /// The largest magnitude in the row that value `at` is in.
    double largest_of_row(std::size_t at) const;

   private:
    const Codec& codec_;
    std::span<const float> values_;
    std::size_t rows_;
    const float* importance_;
    std::vector<float> decoded_;
  };

  const Codec& codec_;
  std::size_t region_elements_;
  std::size_t rows_ = 1;      // that are encoded together
  std::size_t together_ = 0;  // weights that are
  bool in_rows_;              // regions do not cross rows, so that they have columns
  double common_;             // an error up to this needs no closer look

  /// \param at  where the region is in `own`
  Judgement judge(std::span<const float> values, std::span<const float> decoded,
                  const float* importance, OwnEncoding& own, std::size_t at) const;
};

}  // namespace sluice
