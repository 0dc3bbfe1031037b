#pragma once

// The nearest of a few levels, small integers, for four registers of floats at once: as bytes, 32 of
// which AVX2 looks up by one instruction, where of floats it looks up eight.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/lanes.h"

#if defined(__AVX2__) && !defined(__AVX512F__) && !defined(SLUICE_REGISTER_BYTES)
#define SLUICE_BYTE_LEVELS 1

namespace sluice::inline SLUICE_ISA::simd {

/// Up to 32 levels. Borders are multiples of a half, so that what is cut off a value between two of
/// them does not count, and farther apart than a cell is wide: a value's cell has one at most.
template <std::size_t kCount>
class ByteLevels {
 public:
  static_assert(kCount <= 32);
  static constexpr std::size_t kTogether = 4;
  /// Values are to be multiples of 1 / kValueUnit. They are integers then, but for those nearer to
  /// zero than any border, and none of these becomes one, since they are rounded toward zero.
  static constexpr float kValueUnit = kCount <= 16 ? 0x1p21f : 0x1p22f;
  /// Levels come in multiples of 1 / kLevelUnit: they are where a byte is an integer's topmost.
  static constexpr float kLevelUnit = 0x1p24f;

  using Values = Part<float>[kTogether];
  /// In each 32 bits those of registers 0, 2, 1, 3.
  using Codes = __m256i;

  /// Whether these levels can be found so.
  static constexpr bool suits(const std::array<float, kCount>& levels) noexcept {
    constexpr float kNearest = 0x1p23f / kValueUnit;
    float last = kFirstCell * kWidth;
    for (std::size_t code = 0; code + 1 < kCount; ++code) {
      const float twice = levels[code] + levels[code + 1];
      const float border = twice / 2;
      if (-kNearest < border && border < kNearest) return false;
      if (border - last <= kWidth || twice != static_cast<float>(static_cast<int>(twice)))
        return false;
      last = border;
    }
    return last < -kFirstCell * kWidth;
  }

  explicit constexpr ByteLevels(const std::array<float, kCount>& levels) noexcept {
    std::array<std::uint8_t, kCells> in_cell{};
    std::size_t below = 0;
    for (std::size_t i = 0; i < kCells; ++i) {
      // How many halves the next border is from the lower end of the cell.
      const int start = (static_cast<int>(i) + kFirstCell) * kPlaces;
      const int place = below + 1 < kCount
                            ? static_cast<int>(levels[below] + levels[below + 1]) - start
                            : kPlaces;
      const bool inside = place < kPlaces;
      // What a value's own, from 0 on, are added to: the code is in the upper bits then.
      in_cell[i] = static_cast<std::uint8_t>(kPlaces * static_cast<int>(below) +
                                             (inside ? kPlaces - place : 0));
      below += inside ? 1 : 0;
    }
    in_cell_ = changes(in_cell);
    std::array<std::uint8_t, kCount> level{};
    for (std::size_t code = 0; code < kCount; ++code) {
      level[code] = static_cast<std::uint8_t>(static_cast<std::int8_t>(levels[code]));
    }
    level_ = changes(level);
  }

  /// 0 for NaN. Where kBounded, values are known to be below 512 in magnitude.
  template <bool kBounded>
  SLUICE_INLINE Codes codes(const Values& values) const noexcept {
    const auto integers = [&](std::size_t r) noexcept {
      // An infinity below and NaN become the least integer.
      const Part<float> v = kBounded ? values[r] : min(Part<float>(256 * kValueUnit), values[r]);
      return _mm256_cvttps_epi32(v.part[0]);
    };
    // Upper halves: the cell in the upper byte, what is above its lower end in the lower one.
    const __m256i ab = _mm256_blend_epi16(_mm256_srli_epi32(integers(0), 16), integers(1), 0xaa);
    const __m256i cd = _mm256_blend_epi16(_mm256_srli_epi32(integers(2), 16), integers(3), 0xaa);
    const __m256i lower = _mm256_set1_epi16(0x00ff);
    const __m256i far_cell = _mm256_blendv_epi8(cd, _mm256_srli_epi16(ab, 8), lower);
    const __m256i above = _mm256_blendv_epi8(_mm256_slli_epi16(cd, 8), ab, lower);
    const __m256i cell = _mm256_max_epi8(
        _mm256_min_epi8(far_cell, _mm256_set1_epi8(-kFirstCell - 1)), _mm256_set1_epi8(kFirstCell));
    const __m256i place = shift_right<8 - kPlaceBits>(above);
    return shift_right<kPlaceBits>(_mm256_add_epi8(look_up<kFirstCell>(in_cell_, cell), place));
  }

  /// Registers are `stride` bytes apart.
  static SLUICE_INLINE void store(const Codes& codes, std::uint8_t* to,
                                  std::size_t stride) noexcept {
    // Four bytes of each, by halves; then the halves come together.
    const __m256i fours =
        _mm256_shuffle_epi8(codes, _mm256_broadcastsi128_si256(_mm_setr_epi8(
                                       0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15)));
    const __m256i eights =
        _mm256_permutevar8x32_epi32(fours, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    std::uint64_t rows[kTogether];
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(rows), eights);
    for (std::size_t r = 0; r < kTogether; ++r) std::memcpy(to + r * stride, &rows[r], 8);
  }

  SLUICE_INLINE void levels(const Codes& codes, Values& level) const noexcept {
    const __m256i bytes = look_up<0>(level_, codes);
    const auto to_floats = [](const __m256i& integers) noexcept {
      return Part<float>(_mm256_cvtepi32_ps(integers));
    };
    // Byte `which` of each 32 bits comes to the top, and zeros below it.
    const auto moved = [&](char which) noexcept {
      const __m128i order =
          _mm_setr_epi8(-1, -1, -1, which, -1, -1, -1, static_cast<char>(which + 4), -1, -1, -1,
                        static_cast<char>(which + 8), -1, -1, -1, static_cast<char>(which + 12));
      return _mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(order));
    };
    level[0] = to_floats(_mm256_slli_epi32(bytes, 24));
    level[1] = to_floats(moved(2));
    level[2] = to_floats(moved(1));
    level[3] = to_floats(_mm256_and_si256(bytes, _mm256_set1_epi32(static_cast<int>(0xff000000u))));
  }

 private:
  static constexpr int kPlaceBits = kCount <= 16 ? 4 : 3;
  static constexpr int kPlaces = 1 << kPlaceBits;  ///< a cell's halves
  static constexpr float kWidth = kPlaces * 0.5f;
  static constexpr int kFirstCell = -256 / kPlaces;
  static constexpr std::size_t kCells = 512 / kPlaces;

  template <int kBits>
  static SLUICE_INLINE __m256i shift_right(const __m256i& bytes) noexcept {
    return _mm256_and_si256(_mm256_srli_epi16(bytes, kBits), _mm256_set1_epi8(255 >> kBits));
  }

  /// What a byte is more than the one 16 places before (as ByteTable has it).
  template <std::size_t kEntries>
  static constexpr auto changes(const std::array<std::uint8_t, kEntries>& bytes) noexcept {
    std::array<std::uint8_t, (kEntries + 15) / 16 * 16> change{};
    for (std::size_t i = 0; i < kEntries; ++i) {
      change[i] = static_cast<std::uint8_t>(bytes[i] ^ (i < 16 ? 0 : bytes[i - 16]));
    }
    return change;
  }

  /// Bytes of a table whose first index is kFirst.
  template <int kFirst, std::size_t kEntries>
  static SLUICE_INLINE __m256i look_up(const std::array<std::uint8_t, kEntries>& change,
                                       const __m256i& index) noexcept {
    __m256i found = _mm256_setzero_si256();
    for (std::size_t from = 0; from < kEntries; from += 16) {
      // A shuffle looks at 4 bits, and gives zero for a negative byte.
      const __m256i table = _mm256_broadcastsi128_si256(
          _mm_load_si128(reinterpret_cast<const __m128i*>(&change[from])));
      const auto offset = static_cast<char>(-kFirst - static_cast<int>(from));
      found = _mm256_xor_si256(
          found, _mm256_shuffle_epi8(table, _mm256_add_epi8(index, _mm256_set1_epi8(offset))));
    }
    return found;
  }

  alignas(16) std::array<std::uint8_t, kCells> in_cell_{};
  alignas(16) std::array<std::uint8_t, (kCount + 15) / 16 * 16> level_{};
};

}  // namespace sluice::inline SLUICE_ISA::simd

#endif
