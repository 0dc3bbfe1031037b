#pragma once

// Weighted distances of 16 bits each, for codebooks in which so many vectors are near to a target that
// products of bytes (tree.h) do not tell them from one another.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "codec/trellis/search.h"
#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// 16 vectors. Word k of a vector has integers 4k to 4k + 3, negated.
template <std::size_t kGroup>
struct alignas(64) NearCell {
  std::int32_t negated[kGroup / 4][16];

  std::int32_t bytes(std::size_t k, std::size_t lane) const noexcept { return negated[k][lane]; }
  void set_bytes(std::size_t k, std::size_t lane, std::uint32_t bytes) noexcept {
    negated[k][lane] = static_cast<std::int32_t>(bytes);
  }
};

/// The same in words as NearTargets has them: twice the memory, two thirds of the instructions. It pays where all
/// cells are in the second cache.
template <std::size_t kGroup>
struct alignas(64) NearWideCell {
  std::int32_t negated[kGroup / 2][16];

  /// As a NearCell's.
  std::int32_t bytes(std::size_t k, std::size_t lane) const noexcept {
    const auto even = static_cast<std::uint32_t>(negated[2 * k][lane]);
    const auto odd = static_cast<std::uint32_t>(negated[2 * k + 1][lane]);
    return static_cast<std::int32_t>((even >> 8 & 0x00ff00ffu) | (odd & 0xff00ff00u));
  }
  void set_bytes(std::size_t k, std::size_t lane, std::uint32_t bytes) noexcept {
    negated[2 * k][lane] = static_cast<std::int32_t>((bytes & 0x00ff00ffu) << 8);
    negated[2 * k + 1][lane] = static_cast<std::int32_t>(bytes & 0xff00ff00u);
  }
};

/// Vectors that were found for 16 groups of weights, a lane each.
template <std::size_t kGroup>
struct NearFinds {
  std::uint32_t place[16];               ///< where they are, 16 times a cell's number plus a lane
  std::int32_t negated[kGroup / 4][16];  ///< their words of these cells

  template <typename Cell>
  void set(std::size_t lane, std::uint32_t where, const Cell* cells) noexcept {
    place[lane] = where;
    for (std::size_t k = 0; k < kGroup / 4; ++k) {
      negated[k][lane] = cells[where / 16].bytes(k, where % 16);
    }
  }
  /// The same of all lanes, of vectors of 4, whose words follow one another.
  template <typename Cell>
  void set(const TrellisIndices& where, const Cell* cells) noexcept {
    static_assert(kGroup == 4 && sizeof(Cell) == sizeof negated[0]);
    where.store(place);
    // Unrolled to the end, it would take places out of a register one by one.
#pragma GCC unroll 4
    for (std::size_t lane = 0; lane < 16; ++lane) {
      std::memcpy(&negated[0][lane],
                  reinterpret_cast<const std::byte*>(cells) + place[lane] * sizeof negated[0][0],
                  sizeof negated[0][0]);
    }
  }
  TrellisIndices places() const noexcept {
    return TrellisIndices::load(place);
  }
  /// Calls each(j, integers j of the vectors).
  template <typename Each>
  SLUICE_INLINE void for_each_integer(const Each& each) const noexcept {
    for (std::size_t k = 0; k < kGroup / 4; ++k) {
      const simd::Ints bytes = simd::Ints::load(negated[k]);
      each(4 * k, -to_floats(simd::shift_right<24>(simd::shift_left<24>(bytes))));
      each(4 * k + 1, -to_floats(simd::shift_right<24>(simd::shift_left<16>(bytes))));
      each(4 * k + 2, -to_floats(simd::shift_right<24>(simd::shift_left<8>(bytes))));
      each(4 * k + 3, -to_floats(simd::shift_right<24>(bytes)));
    }
  }
};

/// The indices of vectors, by where they are in cells.
inline TrellisIndices indices_at(const TrellisIndices& places,
                                 const std::uint16_t (*index)[16]) noexcept {
  std::uint32_t at[16];
  for (std::size_t lane = 0; lane < 16; ++lane) {
    const std::size_t place = places[lane];
    at[lane] = index[place / 16][place % 16];
  }
  return TrellisIndices::load(at);
}

/// 16 boxes: their middles, negated, and half of their extents, which are not negative.
template <std::size_t kGroup>
struct alignas(64) NearBoxes {
  std::int32_t negated[kGroup / 4][16];
  std::int32_t half[kGroup / 4][16];
};

/// 16 groups of weights in the codebook's units, a lane each, and how their errors count. Word 2k has
/// numbers 4k and 4k + 2 as 16 bits each, word 2k + 1 the others of the four.
template <std::size_t kGroup>
struct NearTargets {
  static constexpr std::size_t kWords = kGroup / 2;
  /// In 256ths; integers are of [-126, 126].
  static constexpr float kMostTarget = 32512;
  /// 8 of these times the square of a difference, in 256ths and without its low 16 bits, fit into 31
  /// bits.
  static constexpr float kMostWeight = 16383;

  std::int32_t target[kWords][16];
  std::int32_t weight[kWords][16];
  simd::Floats norm;  ///< root of the sum of the weights

  /// \tparam Weight  simd::Floats, or a float for all lanes; not negative
  template <typename Weight>
  void set_weights(const Weight (&w)[kGroup]) noexcept {
    simd::Floats most = 0x1p-100f;
    simd::Floats sum = 0;
    for (const Weight& of_error : w) {
      most = max(most, of_error);
      sum += of_error;
    }
    const simd::Floats unit = simd::Floats(kMostWeight) / most;
    set_words(weight, [&](std::size_t j) noexcept { return to_ints(max(round(unit * w[j]), 1)); });
    norm = sqrt(sum * unit);
  }
  /// \param scale  of the integers; not zero
  void set_targets(const simd::Floats (&x)[kGroup], const simd::Floats& scale) noexcept {
    const simd::Floats unit = simd::Floats(256) / scale;
    set_words(target, [&](std::size_t j) noexcept {
      return to_ints(round(clamp(x[j] * unit, -kMostTarget, kMostTarget)));
    });
  }

 private:
  template <typename Number>
  static void set_words(std::int32_t (&words)[kWords][16], const Number& number) noexcept {
    for (std::size_t k = 0; k < kWords; ++k) {
      const std::size_t low = k / 2 * 4 + k % 2;
      const simd::Ints word =
          (number(low) & simd::Ints(0xffff)) | simd::shift_left<16>(number(low + 2));
      word.store(words[k]);
    }
  }
};

/// One of the targets, as it is compared with 16 vectors at a time.
template <std::size_t kGroup>
class NearQuery {
 public:
  using Ints = simd::Ints;
  using Shorts = simd::Shorts;

  NearQuery(const NearTargets<kGroup>& targets, std::size_t lane) noexcept {
    for (std::size_t k = 0; k < kGroup / 2; ++k) {
      target_[k] = simd::bits_of<Shorts>(Ints(targets.target[k][lane]));
      weight_[k] = simd::bits_of<Shorts>(Ints(targets.weight[k][lane]));
    }
  }

  /// Sums of w (t - c)^2.
  SLUICE_INLINE Ints distances(const NearCell<kGroup>& cell) const noexcept {
    Ints sum(0);
    for (std::size_t k = 0; k < kGroup / 4; ++k) {
      const Shorts bytes = load(cell.negated[k]);
      sum = add_squares(sum, 2 * k, difference(2 * k, low_bytes(bytes)));
      sum = add_squares(sum, 2 * k + 1, difference(2 * k + 1, high_bytes(bytes)));
    }
    return sum;
  }
  SLUICE_INLINE Ints distances(const NearWideCell<kGroup>& cell) const noexcept {
    Ints sum(0);
    for (std::size_t k = 0; k < kGroup / 2; ++k) {
      sum = add_squares(sum, k, difference(k, load(cell.negated[k])));
    }
    return sum;
  }
  /// The same for the nearest points of boxes.
  SLUICE_INLINE Ints distances(const NearBoxes<kGroup>& boxes) const noexcept {
    Ints sum(0);
    for (std::size_t k = 0; k < kGroup / 4; ++k) {
      const Shorts bytes = load(boxes.negated[k]);
      const Shorts half = load(boxes.half[k]);
      sum = add_squares(sum, 2 * k, beyond(difference(2 * k, low_bytes(bytes)), low_bytes(half)));
      sum = add_squares(sum, 2 * k + 1,
                        beyond(difference(2 * k + 1, high_bytes(bytes)), high_bytes(half)));
    }
    return sum;
  }

 private:
  static SLUICE_INLINE Shorts load(const std::int32_t* words) noexcept {
    return simd::bits_of<Shorts>(Ints::load(words));
  }
  /// Bytes 0 and 2 of words, times 256.
  static SLUICE_INLINE Shorts low_bytes(const Shorts& words) noexcept {
    return simd::shift_left<8>(words);
  }
  /// Bytes 1 and 3.
  static SLUICE_INLINE Shorts high_bytes(const Shorts& words) noexcept {
    return words & Shorts(static_cast<std::int16_t>(-256));
  }
  SLUICE_INLINE Shorts difference(std::size_t k, const Shorts& negated) const noexcept {
    return add_saturated(target_[k], negated);
  }
  static SLUICE_INLINE Shorts beyond(const Shorts& difference, const Shorts& half) noexcept {
    return difference - max(min(difference, half), -half);
  }
  SLUICE_INLINE Ints add_squares(const Ints& sum, std::size_t k,
                                 const Shorts& difference) const noexcept {
    return simd::accumulate_products(sum, multiply_high(difference, difference), weight_[k]);
  }

  Shorts target_[kGroup / 2];
  Shorts weight_[kGroup / 2];
};

}  // namespace sluice::inline SLUICE_ISA
