#pragma once

// The backend of the compiler's own vectors, complete for any machine, and what the others are
// derived from: a backend names its registers and gives what its instructions do better.
//
// A register is the compiler's vector type, so that + - * / & | ^ << >> are the language's. All
// operations are exact or correctly rounded and go lane by lane: how wide a register is cannot show
// in a result.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#if defined(__SSE2__)
// g++ 12 takes the intrinsics' own undefined registers for mistakes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#if !defined(SLUICE_INLINE)
#define SLUICE_INLINE inline __attribute__((always_inline))
#endif

namespace sluice::inline SLUICE_ISA::simd {

/// Four rows of four become four columns. Rows and columns are so many floats apart.
SLUICE_INLINE void transpose_4x4(const float* rows, std::size_t row_stride, float* columns,
                                 std::size_t column_stride) noexcept {
  typedef float Four __attribute__((vector_size(16)));
  Four row[4];
  for (std::size_t i = 0; i < 4; ++i) std::memcpy(&row[i], rows + i * row_stride, sizeof(Four));
  const Four ab_low = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four ab_high = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four cd_low = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four cd_high = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Four column[4] = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                          __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                          __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                          __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (std::size_t i = 0; i < 4; ++i) {
    std::memcpy(columns + i * column_stride, &column[i], sizeof(Four));
  }
}

/// 16 rows of 16 bytes, turned in place.
SLUICE_INLINE void transpose_bytes(std::uint8_t (&bytes)[256]) noexcept {
  typedef std::uint8_t Row __attribute__((vector_size(16)));
  Row rows[16];
  std::memcpy(rows, bytes, sizeof rows);
  // Interleaving row i with row i + 8 moves the top bit of the row's number to the column's bottom;
  // four times, and they have changed places.
  for (int round = 0; round < 4; ++round) {
    Row next[16];
    for (std::size_t i = 0; i < 8; ++i) {
      next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20,
                                            5, 21, 6, 22, 7, 23);
      next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27,
                                                12, 28, 13, 29, 14, 30, 15, 31);
    }
    std::memcpy(rows, next, sizeof rows);
  }
  std::memcpy(bytes, rows, sizeof rows);
}

template <std::size_t kBytesOf>
struct Vectors {
  static constexpr std::size_t kBytes = kBytesOf;  ///< of a register
  /// How many floats a table has that one instruction looks up for every lane; 0: it takes more.
  static constexpr std::size_t kLookUpFloats = 0;
  static constexpr bool kAppliesSigns = false;  ///< whether apply_sign() is one instruction

  template <typename T>
  struct RegisterOf {
    typedef T type __attribute__((vector_size(kBytesOf)));
  };
  template <typename T>
  using Register = typename RegisterOf<T>::type;
  using Float = Register<float>;
  using Int = Register<std::int32_t>;
  using Short = Register<std::int16_t>;

  /// What holds for some lanes: integers of the lanes' width, all bits set or none.
  template <typename T>
  using Mask = std::conditional_t<sizeof(T) == 2, Short,
                                  std::conditional_t<sizeof(T) == 4, Int, Register<std::int64_t>>>;

  template <typename R>
  static SLUICE_INLINE auto less(R a, R b) noexcept {
    return a < b;
  }
  template <typename R>
  static SLUICE_INLINE auto greater_equal(R a, R b) noexcept {
    return a >= b;
  }
  template <typename R>
  static SLUICE_INLINE auto not_equal(R a, R b) noexcept {
    return a != b;
  }
  template <typename M, typename R>
  static SLUICE_INLINE M less_where(M m, R a, R b) noexcept {
    return (a < b) & m;
  }
  template <typename M>
  static SLUICE_INLINE M both(M a, M b) noexcept {
    return a & b;
  }
  template <typename M, typename R>
  static SLUICE_INLINE R select(M m, R a, R b) noexcept {
    return m ? a : b;
  }
  template <typename R>
  static SLUICE_INLINE R min(R a, R b) noexcept {
    return a < b ? a : b;
  }
  template <typename R>
  static SLUICE_INLINE R max(R a, R b) noexcept {
    return a > b ? a : b;
  }
  template <typename M, typename R>
  static SLUICE_INLINE R add_where(M m, R a, R b) noexcept {
    if constexpr (std::is_same_v<R, Float>) {
      return a + (m ? b : Float{});
    } else {
      return a + (b & m);
    }
  }
  template <typename M, typename R>
  static SLUICE_INLINE R subtract_where(M m, R a, R b) noexcept {
    return a - (b & m);
  }

  static SLUICE_INLINE Float abs(Float a) noexcept {
    return reinterpret_cast<Float>(reinterpret_cast<Int>(a) & 0x7fffffff);
  }
  static SLUICE_INLINE Short abs(Short a) noexcept {
    const Short negated = -a;
    return a > negated ? a : negated;
  }
  static SLUICE_INLINE Float sqrt(Float a) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) return _mm_sqrt_ps(a);
#endif
    for (std::size_t i = 0; i < kBytes / sizeof(float); ++i) a[i] = std::sqrt(a[i]);
    return a;
  }
  /// For values of less than 2^22: adding 1.5 * 2^23 leaves no bits below one. Unlike a conversion
  /// to integer this needs no instruction beyond an addition.
  static SLUICE_INLINE Float round(Float a) noexcept {
    constexpr float kShift = 0x1.8p23f;
    return (a + kShift) - kShift;
  }
  /// Without an instruction for it: the product is exact in double; the sum is rounded to odd there,
  /// so that what rounds it to float sees on which side of a tie it was (Boldo and Melquiond, 2008).
  static SLUICE_INLINE Float fused_multiply_add(Float a, Float b, Float c) noexcept {
#if defined(__FP_FAST_FMAF)
    for (std::size_t i = 0; i < kBytes / sizeof(float); ++i) {
      a[i] = __builtin_fmaf(a[i], b[i], c[i]);
    }
    return a;
#else
    using Double = Register<double>;
    using Bits = Register<std::int64_t>;
    using Unsigned = Register<std::uint64_t>;
    typedef float Half __attribute__((vector_size(kBytesOf / 2)));
    Half halves[2];
    for (std::size_t h = 0; h < 2; ++h) {
      const Double product = to_double(a, h) * to_double(b, h);
      const Double addend = to_double(c, h);
      const Double sum = product + addend;
      const Double part = sum - product;
      const Double lost = (product - (sum - part)) + (addend - part);
      const Bits bits = reinterpret_cast<Bits>(sum);
      const Bits even = ~bits & 1;
      const Bits inexact = reinterpret_cast<Bits>(lost > 0.0) | reinterpret_cast<Bits>(lost < 0.0);
      // An even sum goes one up or down in magnitude, to where the exact one is.
      const Bits down = reinterpret_cast<Bits>(
          reinterpret_cast<Unsigned>(bits ^ reinterpret_cast<Bits>(lost)) >> 63);
      const Bits odd = bits + ((even - ((down & even) << 1)) & inexact);
      halves[h] = __builtin_convertvector(reinterpret_cast<Double>(odd), Half);
    }
    std::memcpy(&a, halves, sizeof a);
    return a;
#endif
  }
  static SLUICE_INLINE Int to_int(Float a) noexcept {
    return __builtin_convertvector(a, Int);
  }
  static SLUICE_INLINE Float to_float(Int a) noexcept {
    return __builtin_convertvector(a, Float);
  }
  /// The first half of the lanes, or the second.
  static SLUICE_INLINE Register<double> to_double(Float a, std::size_t half) noexcept {
    typedef float Half __attribute__((vector_size(kBytesOf / 2)));
    Half halves[2];
    std::memcpy(halves, &a, sizeof a);
    return __builtin_convertvector(halves[half], Register<double>);
  }
  static SLUICE_INLINE Float truncate(Float a) noexcept {
    return to_float(to_int(a));
  }

  static SLUICE_INLINE Short add_saturated(Short a, Short b) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) return (Short)_mm_adds_epi16((__m128i)a, (__m128i)b);
#endif
    return each(a, b, [](int x, int y) noexcept {
      const int exact = x + y;
      return exact > 32767 ? 32767 : exact < -32768 ? -32768 : exact;
    });
  }
  static SLUICE_INLINE Short pack_saturated(Int a, Int b) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) return (Short)_mm_packs_epi32((__m128i)a, (__m128i)b);
#endif
    Short result;
    for (std::size_t i = 0; i < kBytes / 2; ++i) {
      const std::int32_t wide = i < kBytes / 4 ? a[i] : b[i - kBytes / 4];
      result[i] = static_cast<std::int16_t>(wide < INT16_MIN   ? INT16_MIN
                                            : wide > INT16_MAX ? INT16_MAX
                                                               : wide);
    }
    return result;
  }
  static SLUICE_INLINE Short multiply_high(Short a, Short b) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) return (Short)_mm_mulhi_epi16((__m128i)a, (__m128i)b);
#endif
    return each(a, b, [](int x, int y) noexcept { return x * y >> 16; });
  }
  static SLUICE_INLINE Short multiply_high_unsigned(Short a, Short b) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) return (Short)_mm_mulhi_epu16((__m128i)a, (__m128i)b);
#endif
    return each(a, b, [](int x, int y) noexcept {
      return static_cast<std::uint32_t>(x & 0xffff) * static_cast<std::uint32_t>(y & 0xffff) >> 16;
    });
  }
  static SLUICE_INLINE Short multiply_fractions(Short a, Short b) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) {
      // Of the 32 bits of the product, bits 15 to 30, and bit 14 rounds.
      const __m128i low = _mm_mullo_epi16((__m128i)a, (__m128i)b);
      const __m128i high = _mm_mulhi_epi16((__m128i)a, (__m128i)b);
      const __m128i round = _mm_and_si128(_mm_srli_epi16(low, 14), _mm_set1_epi16(1));
      return (Short)_mm_add_epi16(_mm_or_si128(_mm_slli_epi16(high, 1), _mm_srli_epi16(low, 15)),
                                  round);
    }
#endif
    return each(a, b, [](int x, int y) noexcept { return (x * y + 0x4000) >> 15; });
  }
  static SLUICE_INLINE Int accumulate_products(Int sum, Short a, Short b) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) return sum + (Int)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
    for (std::size_t i = 0; i < kBytes / sizeof(std::int32_t); ++i) {
      sum[i] += a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1];
    }
    return sum;
  }
  template <int kBits>
  static SLUICE_INLINE Short shift_right_unsigned(Short a) noexcept {
    return reinterpret_cast<Short>(reinterpret_cast<Register<std::uint16_t>>(a) >> kBits);
  }
  static SLUICE_INLINE Short append_sign(Short a, Short b) noexcept {
    return a << 1 | shift_right_unsigned<15>(b);
  }
  static SLUICE_INLINE Short apply_sign(Short a, Short b) noexcept {
    return b > 0 ? a : b < 0 ? -a : Short{};
  }
  static SLUICE_INLINE Short negative(Short a) noexcept {
    return a >> 15;
  }
  static SLUICE_INLINE Short any_bit(Short a, int bits) noexcept {
    return (a & static_cast<std::int16_t>(bits)) != 0;
  }
  static SLUICE_INLINE Short all_bits(Short a, Short bits) noexcept {
    return (a & bits) == bits;
  }

  /// table[index] of a power of two of entries; the low bits of an index count.
  template <std::size_t kEntries>
  static SLUICE_INLINE Float look_up(const float (&table)[kEntries], Int index) noexcept {
    Float result;
    for (std::size_t i = 0; i < kBytes / sizeof(float); ++i) {
      result[i] = table[static_cast<std::size_t>(index[i]) % kEntries];
    }
    return result;
  }

  template <std::size_t kEntries>
  static SLUICE_INLINE Int look_up(const std::int32_t (&table)[kEntries], Int index) noexcept {
    for (std::size_t i = 0; i < kBytes / sizeof(std::int32_t); ++i) {
      index[i] = table[static_cast<std::size_t>(index[i]) % kEntries];
    }
    return index;
  }

  /// 16 bytes as registers of integers.
  static SLUICE_INLINE void load_bytes(const std::uint8_t* from, Int* to) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) {
      const __m128i zero = _mm_setzero_si128();
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      const __m128i low = _mm_unpacklo_epi8(bytes, zero);
      const __m128i high = _mm_unpackhi_epi8(bytes, zero);
      to[0] = (Int)_mm_unpacklo_epi16(low, zero);
      to[1] = (Int)_mm_unpackhi_epi16(low, zero);
      to[2] = (Int)_mm_unpacklo_epi16(high, zero);
      to[3] = (Int)_mm_unpackhi_epi16(high, zero);
      return;
    }
#endif
    std::int32_t ints[16];
    for (std::size_t i = 0; i < 16; ++i) ints[i] = from[i];
    std::memcpy(to, ints, sizeof ints);
  }

  /// Stores integers of [0, 255] as bytes.
  static SLUICE_INLINE void store_bytes(std::uint8_t* to, Int integers) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) {
      const __m128i shorts = _mm_packs_epi32((__m128i)integers, (__m128i)integers);
      const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(shorts, shorts));
      std::memcpy(to, &bytes, sizeof bytes);
      return;
    }
#endif
    typedef std::uint8_t Bytes __attribute__((vector_size(kBytes / sizeof(float))));
    const Bytes bytes = __builtin_convertvector(integers, Bytes);
    std::memcpy(to, &bytes, sizeof bytes);
  }

  static SLUICE_INLINE void store_bytes(std::uint8_t* to, const Int (&integers)[4]) noexcept {
#if defined(__SSE2__)
    if constexpr (kBytes == 16) {
      const __m128i low = _mm_packs_epi32((__m128i)integers[0], (__m128i)integers[1]);
      const __m128i high = _mm_packs_epi32((__m128i)integers[2], (__m128i)integers[3]);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(low, high));
      return;
    }
#endif
    for (std::size_t i = 0; i < 4; ++i) store_bytes(to + i * kBytes / sizeof(float), integers[i]);
  }

  // What crosses lanes. Arrays are the registers of 16 lanes of 32 bits or 32 lanes of 16.

  template <typename Wide, typename Narrow>
  static SLUICE_INLINE void narrow(const Wide* low, const Wide* high, Narrow* to) noexcept {
    std::int32_t from[32];
    std::int16_t lanes[32];
    std::memcpy(from, low, sizeof from / 2);
    std::memcpy(from + 16, high, sizeof from / 2);
    for (std::size_t i = 0; i < 32; ++i) lanes[i] = static_cast<std::int16_t>(from[i]);
    std::memcpy(to, lanes, sizeof lanes);
  }
  template <typename Narrow, typename Wide>
  static SLUICE_INLINE void widen(const Narrow* from, std::size_t half, Wide* to) noexcept {
    std::int16_t lanes[16];
    std::int32_t wide[16];
    std::memcpy(lanes, reinterpret_cast<const char*>(from) + half * sizeof lanes, sizeof lanes);
    for (std::size_t i = 0; i < 16; ++i) wide[i] = lanes[i];
    std::memcpy(to, wide, sizeof wide);
  }
  /// Bit l: whether a mask holds for lane l of 16.
  static SLUICE_INLINE unsigned to_bits(const Int* mask) noexcept {
    std::int32_t lanes[16];
    std::memcpy(lanes, mask, sizeof lanes);
    unsigned bits = 0;
    for (std::size_t i = 0; i < 16; ++i) bits |= (lanes[i] & 1u) << i;
    return bits;
  }
  /// Lanes l and l + 8 of 16 change places.
  static SLUICE_INLINE Float swap_halves(Float a) noexcept {
    static_assert(kBytes == 64);
    return __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  }
  /// Lanes 2i and 2i + 1 change places.
  static SLUICE_INLINE Float swap_neighbours(Float a) noexcept {
    if constexpr (kBytes == 16) {
      return __builtin_shufflevector(a, a, 1, 0, 3, 2);
    } else if constexpr (kBytes == 32) {
      return __builtin_shufflevector(a, a, 1, 0, 3, 2, 5, 4, 7, 6);
    } else {
      return __builtin_shufflevector(a, a, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    }
  }
  /// The first and the second half of a0 b0 a1 b1 ...
  static SLUICE_INLINE void interleave(Float a, Float b, Float& first, Float& second) noexcept {
    if constexpr (kBytes == 16) {
      first = __builtin_shufflevector(a, b, 0, 4, 1, 5);
      second = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    } else if constexpr (kBytes == 32) {
      first = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
      second = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    } else {
      first = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      second = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30,
                                       15, 31);
    }
  }
  /// 16 rows to columns of 16 lanes.
  template <std::size_t kColumns>
  static SLUICE_INLINE void transpose(const float* rows, Float* columns) noexcept {
    float* const to = reinterpret_cast<float*>(columns);
    for (std::size_t r = 0; r < 16; r += 4) {
      for (std::size_t c = 0; c < kColumns; c += 4) {
        transpose_4x4(rows + kColumns * r + c, kColumns, to + 16 * c + r, 16);
      }
    }
  }

 private:
  template <typename Operation>
  static SLUICE_INLINE Short each(Short a, Short b, const Operation& operation) noexcept {
    for (std::size_t i = 0; i < kBytes / sizeof(std::int16_t); ++i) {
      a[i] = static_cast<std::int16_t>(operation(a[i], b[i]));
    }
    return a;
  }
};

}  // namespace sluice::inline SLUICE_ISA::simd
