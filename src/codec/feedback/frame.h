#pragma once

// What the kernels of error feedback have in common. A lane is a row throughout: nothing is summed
// across lanes, and scalars (U, D) are the same for all rows.
//
// To code a block of 16 rows:
//
// 1. The type's own encoder codes w + shift. Its super-block scales stay, its scales of sub-blocks
//    are where the search for them begins.
// 2. Sub-block by sub-block, for each candidate scale, group by group (a group being the columns
//    that one code stands for): the errors of earlier groups ask this one for y, its codes are
//    searched for y with the diagonal of the group's own metric, and what they cost is measured
//    with the whole of it (sub_block.h).
// 3. The candidate whose groups cost the least together is taken, and its errors go to the
//    sub-blocks behind.
//
// A type is a structure with these static members, in a file of its own, and a word in the list in
// codec/types.h:
//
//   kType, Block       its number, and its block (codec/block_codec.h), whose encode() is the plain
//                      encoder. Of types whose rows have a scale, a row of one block (row_block.h)
//   kSubBlock, kGroup  columns to a scale; columns to a code. A group of one makes this GPTQ
//   kOrder             [kSubBlock] the columns of groups one after the other, where these are not side
//                      by side (order.h)
//   kTogether          how many candidate scales a search takes side by side
//   kAlternatives      how many codes a search offers for each
//   kFactors           how many floats of 16 or 32 bits a super-block is multiplied by (1; 2 with
//                      minima), and
//     factor(block, i), set_factor(block, i, stored)
//   scale(block, b), set_scale(block, b, code)
//                      what is coded of sub-block b's scale (and minimum, and shift): any number
//   set_code(block, g, code)
//                      group g of the block gets its code: any number
//   candidates(effort), candidate(plain, n, effort)
//                      how many scale codes are tried, and the n-th, given the plain encoder's
//   Scale, scale_of(factors, code)
//                      what a scale code stands for, of lanes; factors are in units of the rows
//   Group              what a search needs to know of a group: Group(metric [kGroup]), and
//     nearest(scale [kTogether], target [kTogether][kGroup], options [kAlternatives][kTogether])
//                      which fills in codes and what they decode to

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/feedback.h"
#include "codec/tile.h"
#include "codec/weighting.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::ldlq {

using simd::Floats;
using simd::Ints;

inline constexpr std::size_t kRows = kFeedbackRows;
static_assert(kRows == Floats::kLanes);

/// A code of a group for each row, and what it decodes to.
template <std::size_t kGroup>
struct Option {
  Ints code;
  Floats decoded[kGroup];
};

/// The scales of 16 rows' blocks.
template <typename Type>
struct Scales {
  static constexpr std::size_t kSubBlocks = Type::Block::kWeights / Type::kSubBlock;
  Floats factor[Type::kFactors];  ///< in units of the row
  Ints of_sub_block[kSubBlocks];  ///< codes
};

/// `count` codes in a row of [0, all), of which `plain` is the one at place `before` where the ends
/// allow it: the n-th of them.
SLUICE_INLINE Ints window(const Ints& plain, std::size_t n, int count, int before,
                          int all) noexcept {
  return min(max(plain - before, 0), all - count) + static_cast<std::int32_t>(n);
}

/// sums[j] += errors[i] * unit[i][j], one i after the other.
template <std::size_t kColumns>
SLUICE_INLINE void add_feedback(const Floats* errors, std::size_t count, const float* unit,
                                std::size_t stride, Floats* sums) noexcept {
  for (std::size_t p = 0; p < Floats::kParts; ++p) {
    FloatPart sum[kColumns];
    for (std::size_t j = 0; j < kColumns; ++j) sum[j] = part_of(sums[j], p);
    for (std::size_t i = 0; i < count; ++i) {
      const FloatPart error = part_of(errors[i], p);
      const float* u = unit + i * stride;
#pragma GCC unroll 16
      for (std::size_t j = 0; j < kColumns; ++j) {
        sum[j] = fused_multiply_add(error, FloatPart(u[j]), sum[j]);
      }
    }
    for (std::size_t j = 0; j < kColumns; ++j) set_part(sums[j], p, sum[j]);
  }
}

/// Rows to lanes.
template <std::size_t kColumns>
void load_rows(const SixteenRows<const float>& rows, Floats (&columns)[kColumns]) noexcept {
  const float* runs[kRows];
  for (std::size_t r = 0; r < kRows; ++r) runs[r] = rows.row(r);
  load_columns(runs, columns);
}

/// Lanes to rows.
template <std::size_t kColumns>
void store_rows(const Floats (&columns)[kColumns], const SixteenRows<float>& rows) noexcept {
  for (std::size_t p = 0; p < kTileParts; ++p) {
    for (std::size_t i = 0; i < kColumns; i += kPartColumns) {
      FloatPart square[kPartColumns];
      for (std::size_t c = 0; c < kPartColumns; ++c) square[c] = part_of(columns[i + c], p);
      transpose(square);
      for (std::size_t r = 0; r < kPartColumns; ++r) {
        square[r].store(rows.row(p * kPartColumns + r) + i);
      }
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA::ldlq
