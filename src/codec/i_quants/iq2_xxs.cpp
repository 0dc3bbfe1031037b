#include "codec/i_quants/iq2_xxs.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "codec/block_codec.h"
#include "codec/i_quants/magnitudes.h"
#include "codec/rows.h"
#include "codec/super_scale.h"

// With 256 entries, and a price that is linear in the scale, all scales share one table: with g an
// entry's magnitudes, the error at scale s is that of coding zeros plus s * s * norm - 2 * s * dot,
// where norm = sum w g g, and dot = sum w |x| g, less twice the smallest of its terms if one sign
// is wrong. Neither depends on the scale: they are computed once an octet, each from two halves of
// four magnitudes, and every scale then tries all entries.
//
// The search is in 16-bit fixed point, 32 lanes to a 512-bit register: prices are rounded to about
// 2^-14 of what the lane's largest entry sums to. What is found is then measured in floats.

namespace sluice::inline SLUICE_ISA {

namespace iq2_xxs {

using magnitudes::Floats;
using magnitudes::kHalves;
using magnitudes::kOctet;
using magnitudes::OctetFloats;
using magnitudes::Octets;
using simd::Shorts;
using Part = simd::Part<std::int16_t>;  ///< the octets that are searched together
using Codes = magnitudes::OctetCodes<BlockIq2Xxs>;
using Format = magnitudes::Format<BlockIq2Xxs>;

inline Floats sum_of_sub_blocks(const OctetFloats& halves) noexcept {
  return magnitudes::sum_of_sub_blocks<BlockIq2Xxs::kSubBlock>(halves);
}

/// Scales up to the largest can be searched; larger ones are searched as if a little smaller.
class TableSearch : public magnitudes::Measure<BlockIq2Xxs> {
 public:
  static constexpr std::size_t kMaxTrials = 12;

  TableSearch(const Octets& octets, const Floats& largest_scale) noexcept;

  /// What the best codes at `trials` scales, from `lowest` to 1 times the largest scale in equal
  /// steps, take off each sub-block's error (negative numbers, rounded).
  void try_scales(std::size_t trials, float lowest,
                  std::array<Floats, kMaxTrials>& errors) const noexcept;

  /// The best codes of each octet, the first of equals.
  void nearest(const Floats& scale, Codes& codes) const noexcept;

 private:
  // The price of an entry, in units of its lane, is scale / 2 * norm - dot. A scale is a number of
  // 16 bits, kOne for the largest; norm has one bit more than the price, so that the high half of
  // their product is the price.
  static constexpr int kOne = 32768;
  static constexpr float kLargestPrice = 32000;  // what rounding may add stays below 32768

  static constexpr std::size_t kHalfCount = 81;  // 3 levels to the power of 4
  static constexpr std::size_t kEntries = 256;

  /// What three levels of one position, and then more positions together, add to an entry.
  struct Sums {
    Part dot;
    Part norm;
    Part flip;  ///< what the cheapest wrong sign takes off dot

    friend SLUICE_INLINE Sums operator+(const Sums& a, const Sums& b) noexcept {
      return {a.dot + b.dot, a.norm + b.norm, min(a.flip, b.flip)};
    }
  };
  /// [position][level]
  template <typename T>
  using OfLevels = std::array<std::array<T, 3>, kOctet>;

  static void join_positions(const OfLevels<Sums>& sums, std::size_t first,
                             std::array<Sums, kHalfCount>& halves) noexcept;

  Floats largest_scale_;
  OctetFloats unit_;                   // what 1 stands for
  std::array<Shorts, kEntries> dot_;   // [entry]
  std::array<Shorts, kEntries> norm_;  // [entry] times largest_scale; not signed
};

/// All 81 halves of four positions.
inline void TableSearch::join_positions(const OfLevels<Sums>& sums, std::size_t first,
                                        std::array<Sums, kHalfCount>& halves) noexcept {
  std::array<Sums, 9> low;
  for (std::size_t i = 0; i < 9; ++i) low[i] = sums[first + 2][i / 3] + sums[first + 3][i % 3];
  for (std::size_t i = 0; i < 9; ++i) {
    const Sums high = sums[first][i / 3] + sums[first + 1][i % 3];
    for (std::size_t k = 0; k < 9; ++k) halves[9 * i + k] = high + low[k];
  }
}

inline TableSearch::TableSearch(const Octets& octets, const Floats& largest_scale) noexcept
    : Measure(octets), largest_scale_(largest_scale) {
  const Floats half_scale = largest_scale * 0.5f;
  OctetFloats per_unit;
  for (std::size_t h = 0; h < kHalves; ++h) {
    Floats sum_wx = 0;
    Floats sum_w = 0;
    for (std::size_t j = 0; j < kOctet; ++j) {
      sum_wx += wx_[2 * j + h];
      sum_w += octets.w[2 * j + h];
    }
    constexpr float kLargest = Format::kLargest;
    const Floats largest = max(sum_wx * kLargest, half_scale * sum_w * (kLargest * kLargest));
    unit_[h] = max(largest * (1 / kLargestPrice), 0x1p-100f);
    per_unit[h] = Floats(1) / unit_[h];
  }

  OfLevels<Shorts> dot;
  OfLevels<Shorts> norm;
  OfLevels<Shorts> flip;
  const auto rounded = [](const OctetFloats& values) noexcept {
    return narrow(to_ints(values[0] + 0.5f), to_ints(values[1] + 0.5f));
  };
  for (std::size_t j = 0; j < kOctet; ++j) {
    for (std::size_t level = 0; level < 3; ++level) {
      const float g = kIq2Magnitudes[level];
      OctetFloats of_dot;
      OctetFloats of_norm;
      OctetFloats of_flip;
      for (std::size_t h = 0; h < kHalves; ++h) {
        const Floats wx = wx_[2 * j + h] * per_unit[h];
        of_dot[h] = wx * g;
        of_norm[h] = octets.w[2 * j + h] * half_scale * per_unit[h] * (2 * g * g);
        of_flip[h] = min(wx * odd_[h] * (2 * g), kLargestPrice);
      }
      dot[j][level] = rounded(of_dot);
      norm[j][level] = rounded(of_norm);
      flip[j][level] = rounded(of_flip);
    }
  }

  static constexpr auto kHalfNumbers = [] {
    std::array<std::array<std::uint8_t, 2>, kEntries> numbers{};
    for (std::size_t entry = 0; entry < kEntries; ++entry) {
      for (std::size_t half = 0; half < 2; ++half) {
        numbers[entry][half] = static_cast<std::uint8_t>(Format::half_number(entry, half));
      }
    }
    return numbers;
  }();
  for (std::size_t r = 0; r < Shorts::kParts; ++r) {
    OfLevels<Sums> sums;
    for (std::size_t j = 0; j < kOctet; ++j) {
      for (std::size_t level = 0; level < 3; ++level) {
        sums[j][level] = {simd::part_of(dot[j][level], r), simd::part_of(norm[j][level], r),
                          simd::part_of(flip[j][level], r)};
      }
    }
    std::array<Sums, kHalfCount> first;
    std::array<Sums, kHalfCount> second;
    join_positions(sums, 0, first);
    join_positions(sums, kOctet / 2, second);
    for (std::size_t entry = 0; entry < kEntries; ++entry) {
      const Sums sum = first[kHalfNumbers[entry][0]] + second[kHalfNumbers[entry][1]];
      simd::set_part(dot_[entry], r, sum.dot - sum.flip);
      simd::set_part(norm_[entry], r, sum.norm);
    }
  }
}

inline void TableSearch::try_scales(std::size_t trials, float lowest,
                                    std::array<Floats, kMaxTrials>& errors) const noexcept {
  constexpr std::size_t kTogether = 4;  // trials to one walk over the entries
  const float step = (1 - lowest) / static_cast<float>(trials - 1);
  for (std::size_t start = 0; start < trials; start += kTogether) {
    std::array<std::int16_t, kTogether> scale;
    for (std::size_t t = 0; t < kTogether; ++t) {
      const float factor = lowest + step * static_cast<float>(start + t);
      // Positive, and rounded as nearest() does in lanes.
      const float rounded = factor * kOne + 0.5f;
      scale[t] = static_cast<std::int16_t>(static_cast<int>(rounded));
    }
    std::array<Shorts, kTogether> least;
    for (std::size_t r = 0; r < Shorts::kParts; ++r) {
      std::array<Part, kTogether> best;
      best.fill(Part(32767));
      for (std::size_t entry = 0; entry < kEntries; ++entry) {
        const Part dot = simd::part_of(dot_[entry], r);
        const Part norm = simd::part_of(norm_[entry], r);
#pragma GCC unroll 8
        for (std::size_t t = 0; t < kTogether; ++t) {
          best[t] = min(best[t], multiply_high_unsigned(norm, scale[t]) - dot);
        }
      }
      for (std::size_t t = 0; t < kTogether; ++t) simd::set_part(least[t], r, best[t]);
    }
    for (std::size_t t = 0; t < kTogether && start + t < trials; ++t) {
      const OctetFloats price = {to_floats(widen(least[t], 0)) * unit_[0],
                                 to_floats(widen(least[t], 1)) * unit_[1]};
      errors[start + t] =
          sum_of_sub_blocks(price) * (lowest + step * static_cast<float>(start + t));
    }
  }
}

inline void TableSearch::nearest(const Floats& scale, Codes& codes) const noexcept {
  const Floats ratio = min(scale / max(largest_scale_, 0x1p-100f), 1.02f) * kOne + 0.5f;
  const simd::Ints number = to_ints(ratio);
  const Shorts scales = narrow(number, number);
  static constexpr auto kWords = [] {
    std::array<std::int32_t, kEntries> words{};
    for (std::size_t entry = 0; entry < kEntries; ++entry) words[entry] = Format::word(entry);
    return words;
  }();
  magnitudes::OctetWords found;
  for (std::size_t r = 0; r < Shorts::kParts; ++r) {
    const Part s = simd::part_of(scales, r);
    Part least = 32767;
    Part index = 0;
    Part entry = 0;
    for (std::size_t i = 0; i < kEntries; ++i) {
      const Part price =
          multiply_high_unsigned(simd::part_of(norm_[i], r), s) - simd::part_of(dot_[i], r);
      index = select(price < least, entry, index);
      least = min(least, price);
      entry += 1;
    }
    magnitudes::look_up_words(kWords, index, r, found);
  }
  codes.entry[0] = magnitudes::load_words(found);
  measure(codes);
}

/// The scale at which the largest weight meets the largest magnitude, times kLowest to kHighest, is
/// tried. More trials than 12, or a wider range, gain less than 0.1 % of the error.
inline constexpr float kLowest = 0.5f;
inline constexpr float kHighest = 1.5f;
constexpr std::size_t trials(Effort effort) noexcept {
  return effort == Effort::fast ? 4 : TableSearch::kMaxTrials;
}

/// The parabola of each sub-block's best real-valued scale, in all of its lanes. Its gain is left
/// out, as the same for all super-block scales.
inline Parabola best_scales(const TableSearch& search, const Floats& largest_scale,
                            std::size_t trials) noexcept {
  constexpr float kFirst = kLowest / kHighest;
  std::array<Floats, TableSearch::kMaxTrials> errors;
  search.try_scales(trials, kFirst, errors);
  const float step = (1 - kFirst) / static_cast<float>(trials - 1);
  Floats best = kFirst;
  Floats least = errors[0];
  for (std::size_t t = 1; t < trials; ++t) {
    const simd::FloatMask better = errors[t] < least;
    best = select(better, kFirst + step * static_cast<float>(t), best);
    least = select(better, errors[t], least);
  }
  Codes codes;
  search.nearest(best * largest_scale, codes);
  const Floats dot = sum_of_sub_blocks(codes.dot);
  const Floats norm = sum_of_sub_blocks(codes.norm);
  return {select(dot > 0, dot / norm, 0), 0, norm};
}

/// A scale on disk stands for (2 l + 1) / 8 of the super-block's, l from 0 to 15: the factors of
/// those l whose factor is nearest to `ratio`.
SLUICE_INLINE Floats nearest_factors(const Floats& ratio) noexcept {
  return round(min(max(ratio * 4 - 0.5f, 0), 15)) * 0.25f + 0.125f;
}

inline float best_super_scale(const Parabola& wanted) noexcept {
  constexpr ScaleTrials kTrials = {.count = 48, .lowest = 0.8f, .step = 0.6f / 47};
  const auto cost = [](const Floats& d) noexcept {
    return [d, inverse = Floats(1) / d](const Floats& scale, const Floats& norm) noexcept {
      const Floats off = scale - nearest_factors(scale * inverse) * d;
      return off * off * norm;
    };
  };
  // The strongest sub-block gets the largest scale, or one a little inside or beyond it.
  constexpr float kLargestFactor = 31 * BlockIq2Xxs::kUnit;
  SuperScale best;
  best.try_scales<kTrials, 8>(&wanted, 1, reduce_max(wanted.scale) / kLargestFactor, cost);
  return best.scale();
}

/// What a super-block scale leads to.
struct Choice {
  magnitudes::Solution<BlockIq2Xxs> solution;
  float error = 0;  ///< weighted, less that of coding zeros, twice: for both lanes of a sub-block
  float refit = 0;  ///< the least-squares super-block scale for these codes
};

inline void choose(const TableSearch& search, const Parabola& wanted, float d,
                   Choice& choice) noexcept {
  // The neighbours of the nearest scale gain less than 0.1 % of the error.
  const Floats factor = nearest_factors(wanted.scale * (1 / d));
  const Floats scale = factor * d;
  search.nearest(scale, choice.solution.codes);
  const Floats dot = sum_of_sub_blocks(choice.solution.codes.dot);
  const Floats norm = sum_of_sub_blocks(choice.solution.codes.norm);
  choice.error = reduce_sum(scale * (scale * norm - dot * 2));
  const float sum_norm = reduce_sum(factor * factor * norm);
  const float sum_dot = reduce_sum(factor * dot);
  choice.refit = sum_norm > 0 ? sum_dot / sum_norm : 0.0f;
  choice.solution.multiple = factor * (1 / BlockIq2Xxs::kUnit);
  choice.solution.dot = sum_dot / 2;
}

inline BlockIq2Xxs encode_super_block(const float* values, const float* importance, Effort effort,
                                      float bias_correction) noexcept {
  Octets octets;
  magnitudes::load_octets<BlockIq2Xxs::kSubBlock>(values, importance, octets);
  if (octets.block_largest[0] == 0) return {};

  Floats largest = 0;
  for (const Floats& row : octets.x) largest = max(largest, abs(row));
  largest = max(largest, swap_halves(largest));
  const Floats largest_scale = largest * (kHighest / Format::kLargest);
  const TableSearch search(octets, largest_scale);
  const Parabola wanted_scales = best_scales(search, largest_scale, trials(effort));

  // Scales and codes are searched again at each refitted scale, always one that fp16 has.
  constexpr int kRounds = 3;
  const int exponent = octets.exponent[0];
  std::array<Choice, 2> choices;  // the best, and the one that is tried
  std::size_t best = 0;
  std::uint16_t best_d = 0;
  float wanted = best_super_scale(wanted_scales);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint16_t d = round_scale(wanted, exponent);
    if (round > 0 && d == best_d) break;
    Choice& choice = choices[1 - best];
    choose(search, wanted_scales, value_of_half(d, exponent), choice);
    wanted = choice.refit;
    if (choice.error < choices[best].error) {
      best = 1 - best;
      best_d = d;
    }
  }
  if (best_d == 0) return {};
  const Choice& choice = choices[best];
  const float corrected =
      corrected_scale(choice.refit, octets.norm(), choice.solution.dot, bias_correction);
  return magnitudes::make_block<BlockIq2Xxs>(octets, search, choice.solution,
                                             {round_scale(corrected, exponent), best_d});
}

}  // namespace iq2_xxs

void BlockIq2Xxs::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_blocks<BlockIq2Xxs>(rows, out, [&](const float* values, const float* importance) noexcept {
    return iq2_xxs::encode_super_block(values, importance, rows.effort, rows.bias_correction);
  });
}

Codec codec_iq2_xxs() noexcept {
  return block_codec<BlockIq2Xxs>(TensorType::iq2_xxs);
}

}  // namespace sluice::inline SLUICE_ISA
