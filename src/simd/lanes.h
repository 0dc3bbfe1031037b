#pragma once

// The vector vocabulary of all kernels: N lanes of T, whatever the machine's registers are. The
// number of lanes is the method's: 16 floats or 32 integers of 16 bits are one register with
// AVX-512, two with AVX2, four of 128 bits. Every operation is exact, or one correctly rounded IEEE
// operation, and goes lane by lane; what crosses lanes does so in one order. So results do not
// depend on the machine.
//
// A loop that holds more vectors than the machine has registers goes part by part, a part being as
// many lanes as fill one register: Part<float> has all the operations of Floats.
//
// A backend, one file, gives what a register can do: avx512.h, avx2.h, neon.h, and vector.h for any
// machine. Internal linkage or one namespace for each instruction set throughout (SLUICE_ISA): files
// compiled for different ones include this.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__AVX512BW__)
#include "simd/avx512.h"
#elif defined(__AVX2__)
#include "simd/avx2.h"
#elif defined(SLUICE_NEON)
#include "simd/neon.h"
#else
#include "simd/vector.h"
#endif

namespace sluice::inline SLUICE_ISA::simd {

#if defined(SLUICE_REGISTER_BYTES)  // a test's
using Machine = Vectors<SLUICE_REGISTER_BYTES>;
#elif defined(__AVX512BW__)
using Machine = Avx512;
#elif defined(__AVX2__)
using Machine = Avx2;
#elif defined(SLUICE_NEON)
using Machine = Neon;
#else
using Machine = Vectors<16>;
#endif

/// How many lanes of T fill a register.
template <typename T>
inline constexpr std::size_t kPartLanes = Machine::kBytes / sizeof(T);

/// What holds for some of N lanes of so many bytes.
template <std::size_t kSize, std::size_t N>
struct SizedMask {
  using Integer = std::conditional_t<kSize == 2, std::int16_t,
                                     std::conditional_t<kSize == 4, std::int32_t, std::int64_t>>;
  static constexpr std::size_t kParts = N / kPartLanes<Integer>;

  typename Machine::template Mask<Integer> part[kParts];

  friend SLUICE_INLINE SizedMask operator&(const SizedMask& a, const SizedMask& b) noexcept {
    SizedMask result;
    for (std::size_t i = 0; i < kParts; ++i) result.part[i] = Machine::both(a.part[i], b.part[i]);
    return result;
  }
};
/// The same for all types of a size.
template <typename T, std::size_t N>
using Mask = SizedMask<sizeof(T), N>;

template <typename T, std::size_t N>
struct Lanes {
  static_assert(N % kPartLanes<T> == 0);
  static constexpr std::size_t kLanes = N;
  static constexpr std::size_t kParts = N / kPartLanes<T>;
  using Register = typename Machine::template Register<T>;

  Register part[kParts];

  Lanes() = default;
  /// The same number in all lanes.
  SLUICE_INLINE Lanes(T value) noexcept {  // NOLINT: a number stands for N of it
    // x - 0 is x, zeros of either sign too; x + 0 would be one more instruction.
    for (Register& r : part) r = value - Register{};
  }
  /// One register as its lanes.
  explicit SLUICE_INLINE Lanes(const Register& only) noexcept requires(kParts == 1) : part{only} {}

  static SLUICE_INLINE Lanes load(const T* from) noexcept {
    Lanes lanes;
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kParts; ++i) {
      std::memcpy(&lanes.part[i], from + i * kPartLanes<T>, sizeof part[i]);
    }
    return lanes;
  }
  /// Register by register: the compiler copies more bytes at once through memory.
  SLUICE_INLINE void store(T* to) const noexcept {
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kParts; ++i) {
      std::memcpy(to + i * kPartLanes<T>, &part[i], sizeof part[i]);
    }
  }
  SLUICE_INLINE T operator[](std::size_t lane) const noexcept {
    return part[lane / kPartLanes<T>][lane % kPartLanes<T>];
  }

#define SLUICE_OPERATOR(op)                                                           \
  friend SLUICE_INLINE Lanes operator op(const Lanes& a, const Lanes& b) noexcept {   \
    Lanes result;                                                                     \
    for (std::size_t i = 0; i < kParts; ++i) result.part[i] = a.part[i] op b.part[i]; \
    return result;                                                                    \
  }                                                                                   \
  SLUICE_INLINE Lanes& operator op##=(const Lanes& b) noexcept {                      \
    return *this = *this op b;                                                        \
  }
  SLUICE_OPERATOR(+)
  SLUICE_OPERATOR(-)
  SLUICE_OPERATOR(*)
  SLUICE_OPERATOR(/)
  SLUICE_OPERATOR(&)
  SLUICE_OPERATOR(|)
  SLUICE_OPERATOR(^)
#undef SLUICE_OPERATOR
  friend SLUICE_INLINE Lanes operator-(const Lanes& a) noexcept {
    Lanes result;
    for (std::size_t i = 0; i < kParts; ++i) result.part[i] = -a.part[i];
    return result;
  }

#define SLUICE_COMPARISON(op, operation, first, second)                                  \
  friend SLUICE_INLINE Mask<T, N> operator op(const Lanes& a, const Lanes& b) noexcept { \
    Mask<T, N> mask;                                                                     \
    for (std::size_t i = 0; i < kParts; ++i) {                                           \
      mask.part[i] = Machine::operation((first).part[i], (second).part[i]);              \
    }                                                                                    \
    return mask;                                                                         \
  }
  SLUICE_COMPARISON(<, less, a, b)
  SLUICE_COMPARISON(>, less, b, a)
  SLUICE_COMPARISON(>=, greater_equal, a, b)
  SLUICE_COMPARISON(<=, greater_equal, b, a)
  SLUICE_COMPARISON(!=, not_equal, a, b)
#undef SLUICE_COMPARISON

  // Where a register is not enough for two numbers to be told apart by type, these find each other
  // by argument: the functions below are friends so that a number may stand for N of it.
#define SLUICE_BINARY(name)                                                  \
  friend SLUICE_INLINE Lanes name(const Lanes& a, const Lanes& b) noexcept { \
    Lanes result;                                                            \
    for (std::size_t i = 0; i < kParts; ++i) {                               \
      result.part[i] = Machine::name(a.part[i], b.part[i]);                  \
    }                                                                        \
    return result;                                                           \
  }
  /// a < b ? a : b, so b where one of the two is NaN; max likewise.
  SLUICE_BINARY(min)
  SLUICE_BINARY(max)
  /// Integers of 16 bits: signed sums, drawn in to what 16 bits hold.
  SLUICE_BINARY(add_saturated)
  /// The high halves of the products of signed, or of unsigned, integers of 16 bits.
  SLUICE_BINARY(multiply_high)
  SLUICE_BINARY(multiply_high_unsigned)
  /// a * b / 2^15 rounded to an integer of 16 bits, ties up; not both -2^15.
  SLUICE_BINARY(multiply_fractions)
  /// Twice a, plus 1 where b is negative; integers of 16 bits.
  SLUICE_BINARY(append_sign)
  /// a times the sign of b: 1, 0 or -1; integers of 16 bits.
  SLUICE_BINARY(apply_sign)
#undef SLUICE_BINARY

  /// a * b + c, rounded once; floats.
  friend SLUICE_INLINE Lanes fused_multiply_add(const Lanes& a, const Lanes& b,
                                                const Lanes& c) noexcept {
    Lanes result;
    for (std::size_t i = 0; i < kParts; ++i) {
      result.part[i] = Machine::fused_multiply_add(a.part[i], b.part[i], c.part[i]);
    }
    return result;
  }

  /// a < b, where the mask holds.
  friend SLUICE_INLINE Mask<T, N> less_where(const Mask<T, N>& mask, const Lanes& a,
                                             const Lanes& b) noexcept {
    Mask<T, N> result;
    for (std::size_t i = 0; i < kParts; ++i) {
      result.part[i] = Machine::less_where(mask.part[i], a.part[i], b.part[i]);
    }
    return result;
  }

#define SLUICE_UNARY(name)                                                              \
  friend SLUICE_INLINE Lanes name(const Lanes& a) noexcept {                            \
    Lanes result;                                                                       \
    for (std::size_t i = 0; i < kParts; ++i) result.part[i] = Machine::name(a.part[i]); \
    return result;                                                                      \
  }
  SLUICE_UNARY(abs)
  SLUICE_UNARY(sqrt)
  /// The nearest integer, ties to even; magnitudes below 2^22.
  SLUICE_UNARY(round)
  /// The next integer toward zero; magnitudes below 2^31.
  SLUICE_UNARY(truncate)
#undef SLUICE_UNARY

  /// a where the mask holds, else b.
  friend SLUICE_INLINE Lanes select(const Mask<T, N>& mask, const Lanes& a,
                                    const Lanes& b) noexcept {
    Lanes result;
    for (std::size_t i = 0; i < kParts; ++i) {
      result.part[i] = Machine::select(mask.part[i], a.part[i], b.part[i]);
    }
    return result;
  }
  /// a + b where the mask holds, else a (which may become +0 where it is -0); a - b likewise, of
  /// integers.
  friend SLUICE_INLINE Lanes add_where(const Mask<T, N>& mask, const Lanes& a,
                                       const Lanes& b) noexcept {
    Lanes result;
    for (std::size_t i = 0; i < kParts; ++i) {
      result.part[i] = Machine::add_where(mask.part[i], a.part[i], b.part[i]);
    }
    return result;
  }
  friend SLUICE_INLINE Lanes subtract_where(const Mask<T, N>& mask, const Lanes& a,
                                            const Lanes& b) noexcept {
    Lanes result;
    for (std::size_t i = 0; i < kParts; ++i) {
      result.part[i] = Machine::subtract_where(mask.part[i], a.part[i], b.part[i]);
    }
    return result;
  }
};

using Floats = Lanes<float, 16>;
using Doubles = Lanes<double, 16>;
using Ints = Lanes<std::int32_t, 16>;
using Shorts = Lanes<std::int16_t, 32>;
using FloatMask = Mask<float, 16>;
using ShortMask = Mask<std::int16_t, 32>;

/// The lanes of one register.
template <typename T>
using Part = Lanes<T, kPartLanes<T>>;

/// Part i of some lanes.
template <typename T, std::size_t N>
SLUICE_INLINE Part<T> part_of(const Lanes<T, N>& lanes, std::size_t i) noexcept {
  return Part<T>(lanes.part[i]);
}
template <typename T, std::size_t N>
SLUICE_INLINE void set_part(Lanes<T, N>& lanes, std::size_t i, const Part<T>& value) noexcept {
  lanes.part[i] = value.part[0];
}

template <std::size_t N>
SLUICE_INLINE Lanes<float, N> clamp(const Lanes<float, N>& a, float low, float high) noexcept {
  return min(max(a, low), high);
}

/// Integers rounded toward zero.
template <std::size_t N>
SLUICE_INLINE Lanes<std::int32_t, N> to_ints(const Lanes<float, N>& a) noexcept {
  Lanes<std::int32_t, N> ints;
  for (std::size_t i = 0; i < a.kParts; ++i) ints.part[i] = Machine::to_int(a.part[i]);
  return ints;
}
template <std::size_t N>
SLUICE_INLINE Lanes<float, N> to_floats(const Lanes<std::int32_t, N>& a) noexcept {
  Lanes<float, N> floats;
  for (std::size_t i = 0; i < a.kParts; ++i) floats.part[i] = Machine::to_float(a.part[i]);
  return floats;
}

SLUICE_INLINE Doubles to_doubles(const Floats& a) noexcept {
  Doubles doubles;
  for (std::size_t i = 0; i < Doubles::kParts; ++i) {
    doubles.part[i] = Machine::to_double(a.part[i / 2], i % 2);
  }
  return doubles;
}

/// The bits of lanes as lanes of another type.
template <typename To, typename From>
SLUICE_INLINE To bits_of(const From& from) noexcept {
  To to;
  static_assert(sizeof to.part == sizeof from.part);
  std::memcpy(&to.part, &from.part, sizeof to.part);
  return to;
}

template <int kBits, typename T, std::size_t N>
SLUICE_INLINE Lanes<T, N> shift_left(const Lanes<T, N>& a) noexcept {
  Lanes<T, N> result;
  for (std::size_t i = 0; i < a.kParts; ++i) result.part[i] = a.part[i] << kBits;
  return result;
}
/// Zeros come in from above.
template <int kBits, std::size_t N>
SLUICE_INLINE Lanes<std::int16_t, N> shift_right_unsigned(
    const Lanes<std::int16_t, N>& a) noexcept {
  Lanes<std::int16_t, N> result;
  for (std::size_t i = 0; i < a.kParts; ++i) {
    result.part[i] = Machine::template shift_right_unsigned<kBits>(a.part[i]);
  }
  return result;
}
/// The sign comes in from above.
template <int kBits, typename T, std::size_t N>
SLUICE_INLINE Lanes<T, N> shift_right(const Lanes<T, N>& a) noexcept {
  Lanes<T, N> result;
  for (std::size_t i = 0; i < a.kParts; ++i) result.part[i] = a.part[i] >> kBits;
  return result;
}

/// Lane i: sum[i] + a[2i] * b[2i] + a[2i + 1] * b[2i + 1].
template <std::size_t N>
SLUICE_INLINE Lanes<std::int32_t, N> accumulate_products(
    const Lanes<std::int32_t, N>& sum, const Lanes<std::int16_t, 2 * N>& a,
    const Lanes<std::int16_t, 2 * N>& b) noexcept {
  Lanes<std::int32_t, N> result;
  for (std::size_t i = 0; i < sum.kParts; ++i) {
    result.part[i] = Machine::accumulate_products(sum.part[i], a.part[i], b.part[i]);
  }
  return result;
}

template <std::size_t N>
SLUICE_INLINE Mask<std::int16_t, N> negative(const Lanes<std::int16_t, N>& a) noexcept {
  Mask<std::int16_t, N> mask;
  for (std::size_t i = 0; i < a.kParts; ++i) mask.part[i] = Machine::negative(a.part[i]);
  return mask;
}
/// Whether one of these bits is set.
template <std::size_t N>
SLUICE_INLINE Mask<std::int16_t, N> any_bit(const Lanes<std::int16_t, N>& a, int bits) noexcept {
  Mask<std::int16_t, N> mask;
  for (std::size_t i = 0; i < a.kParts; ++i) mask.part[i] = Machine::any_bit(a.part[i], bits);
  return mask;
}

/// Whether all of these bits are set, lane by lane.
template <std::size_t N>
SLUICE_INLINE Mask<std::int16_t, N> all_bits(const Lanes<std::int16_t, N>& a,
                                             const Lanes<std::int16_t, N>& bits) noexcept {
  Mask<std::int16_t, N> mask;
  for (std::size_t i = 0; i < a.kParts; ++i) {
    mask.part[i] = Machine::all_bits(a.part[i], bits.part[i]);
  }
  return mask;
}

/// table[index], the table being a power of two of entries: a register of floats at least, and at
/// most 64 with AVX-512 (32 integers). The low bits of an index count.
template <std::size_t kEntries, std::size_t N>
SLUICE_INLINE Lanes<float, N> look_up(const float (&table)[kEntries],
                                      const Lanes<std::int32_t, N>& index) noexcept {
  Lanes<float, N> result;
  for (std::size_t i = 0; i < index.kParts; ++i) {
    result.part[i] = Machine::look_up(table, index.part[i]);
  }
  return result;
}

template <std::size_t kEntries, std::size_t N>
SLUICE_INLINE Lanes<std::int32_t, N> look_up(const std::int32_t (&table)[kEntries],
                                             const Lanes<std::int32_t, N>& index) noexcept {
  Lanes<std::int32_t, N> result;
  for (std::size_t i = 0; i < index.kParts; ++i) {
    result.part[i] = Machine::look_up(table, index.part[i]);
  }
  return result;
}

/// 16 bytes as integers.
SLUICE_INLINE Ints load_bytes(const std::uint8_t* from) noexcept {
  Ints result;
  Machine::load_bytes(from, result.part);
  return result;
}

/// Stores integers of [0, 255] as bytes.
template <std::size_t N>
SLUICE_INLINE void store_bytes(std::uint8_t* to, const Lanes<std::int32_t, N>& integers) noexcept {
  if constexpr (Lanes<std::int32_t, N>::kParts == 4) {
    Machine::store_bytes(to, integers.part);
  } else {
    for (std::size_t i = 0; i < integers.kParts; ++i) {
      Machine::store_bytes(to + i * kPartLanes<float>, integers.part[i]);
    }
  }
}
template <std::size_t N>
SLUICE_INLINE void store_bytes(std::uint8_t* to, const Lanes<float, N>& integers) noexcept {
  store_bytes(to, to_ints(integers));
}

// What crosses lanes.

/// The first half of the lanes, or the second.
template <typename T, std::size_t N>
SLUICE_INLINE Lanes<T, N / 2> half(const Lanes<T, N>& a, std::size_t which) noexcept {
  Lanes<T, N / 2> result;
  for (std::size_t i = 0; i < result.kParts; ++i) {
    result.part[i] = a.part[which * result.kParts + i];
  }
  return result;
}

/// Lanes joined as pairs 8 apart, then 4, 2, 1: the same tree whatever the registers.
template <typename Join>
SLUICE_INLINE float reduce(const Floats& lanes, const Join& join) noexcept {
  // A generic lambda, so that only the branch that is taken has to compile.
  const auto four = [&](const auto& part) noexcept {
    if constexpr (Floats::kParts == 4) {
      return join(join(part[0], part[2]), join(part[1], part[3]));
    } else if constexpr (Floats::kParts == 2) {
      const auto eight = join(part[0], part[1]);
      return join(__builtin_shufflevector(eight, eight, 0, 1, 2, 3),
                  __builtin_shufflevector(eight, eight, 4, 5, 6, 7));
    } else {
      const auto& p = part[0];
      const auto eight = join(__builtin_shufflevector(p, p, 0, 1, 2, 3, 4, 5, 6, 7),
                              __builtin_shufflevector(p, p, 8, 9, 10, 11, 12, 13, 14, 15));
      return join(__builtin_shufflevector(eight, eight, 0, 1, 2, 3),
                  __builtin_shufflevector(eight, eight, 4, 5, 6, 7));
    }
  }(lanes.part);
  const auto two = join(four, __builtin_shufflevector(four, four, 2, 3, 2, 3));
  return join(two, __builtin_shufflevector(two, two, 1, 1, 1, 1))[0];
}
SLUICE_INLINE float reduce_sum(const Floats& a) noexcept {
  return reduce(a, [](auto x, auto y) noexcept { return x + y; });
}
SLUICE_INLINE float reduce_max(const Floats& a) noexcept {
  return reduce(a, [](auto x, auto y) noexcept { return x > y ? x : y; });
}
SLUICE_INLINE float reduce_min(const Floats& a) noexcept {
  return reduce(a, [](auto x, auto y) noexcept { return x < y ? x : y; });
}
/// A bit for each lane, the first the lowest.
SLUICE_INLINE unsigned to_bits(const FloatMask& mask) noexcept {
  return Machine::to_bits(mask.part);
}

/// The first of the least lanes; none of them is NaN.
SLUICE_INLINE std::size_t place_of_min(const Floats& a) noexcept {
  const FloatMask least = a <= Floats(reduce_min(a));
  return static_cast<std::size_t>(__builtin_ctz(to_bits(least)));
}

/// Lanes l and l + 8 change places.
SLUICE_INLINE Floats swap_halves(const Floats& a) noexcept {
  Floats result;
  if constexpr (Floats::kParts == 1) {
    result.part[0] = Machine::swap_halves(a.part[0]);
  } else {
    constexpr std::size_t kHalf = Floats::kParts / 2;
    for (std::size_t i = 0; i < kHalf; ++i) {
      result.part[i] = a.part[i + kHalf];
      result.part[i + kHalf] = a.part[i];
    }
  }
  return result;
}
/// Lanes 2i and 2i + 1 change places.
SLUICE_INLINE Floats swap_neighbours(const Floats& a) noexcept {
  Floats result;
  for (std::size_t i = 0; i < Floats::kParts; ++i) {
    result.part[i] = Machine::swap_neighbours(a.part[i]);
  }
  return result;
}

/// The low halves of the lanes of two, one after the other.
SLUICE_INLINE Shorts narrow(const Ints& low, const Ints& high) noexcept {
  Shorts result;
  Machine::narrow(low.part, high.part, result.part);
  return result;
}
/// The lanes of two drawn in to what 16 bits hold, in an order that is the machine's own.
SLUICE_INLINE Shorts pack_saturated(const Ints& a, const Ints& b) noexcept {
  Shorts result;
  for (std::size_t i = 0; i < Ints::kParts; ++i) {
    result.part[i] = Machine::pack_saturated(a.part[i], b.part[i]);
  }
  return result;
}
/// The low halves of the lanes.
SLUICE_INLINE Shorts narrow(const Lanes<std::int32_t, 32>& a) noexcept {
  Shorts result;
  Machine::narrow(a.part, a.part + a.kParts / 2, result.part);
  return result;
}
SLUICE_INLINE ShortMask narrow(const Mask<float, 32>& a) noexcept {
  ShortMask result;
  Machine::narrow(a.part, a.part + Floats::kParts, result.part);
  return result;
}
/// The first 16 lanes, or the last.
SLUICE_INLINE Ints widen(const Shorts& a, std::size_t half) noexcept {
  Ints result;
  Machine::widen(a.part, half, result.part);
  return result;
}
SLUICE_INLINE Lanes<std::int32_t, 32> widen(const Shorts& a) noexcept {
  Lanes<std::int32_t, 32> result;
  Machine::widen(a.part, 0, result.part);
  Machine::widen(a.part, 1, result.part + Ints::kParts);
  return result;
}
SLUICE_INLINE Mask<float, 32> widen(const ShortMask& mask) noexcept {
  Mask<float, 32> result;
  Machine::widen(mask.part, 0, result.part);
  Machine::widen(mask.part, 1, result.part + Ints::kParts);
  return result;
}
/// Two one after the other.
SLUICE_INLINE Lanes<float, 32> join(const Floats& low, const Floats& high) noexcept {
  Lanes<float, 32> result;
  for (std::size_t i = 0; i < Floats::kParts; ++i) {
    result.part[i] = low.part[i];
    result.part[i + Floats::kParts] = high.part[i];
  }
  return result;
}
/// a0 b0 a1 b1 ...
SLUICE_INLINE Lanes<float, 32> interleave(const Floats& a, const Floats& b) noexcept {
  Lanes<float, 32> result;
  for (std::size_t i = 0; i < Floats::kParts; ++i) {
    Machine::interleave(a.part[i], b.part[i], result.part[2 * i], result.part[2 * i + 1]);
  }
  return result;
}
SLUICE_INLINE ShortMask join(const FloatMask& low, const FloatMask& high) noexcept {
  ShortMask result;
  Machine::narrow(low.part, high.part, result.part);
  return result;
}

/// Rows to columns: lane r of columns[c] is rows[kColumns * r + c].
template <std::size_t kColumns>
SLUICE_INLINE void transpose(const float* rows, Floats (&columns)[kColumns]) noexcept {
  Machine::template transpose<kColumns>(rows, columns[0].part);
}

/// A square of parts: lane i of row j becomes lane j of row i. Interleaving the upper half of the
/// rows with the lower half moves each bit of a place's number one up; after as many times as the
/// lane's number has bits, lane and row have changed places.
SLUICE_INLINE void transpose(Part<float> (&rows)[kPartLanes<float>]) noexcept {
  constexpr std::size_t kRows = kPartLanes<float>;
#pragma GCC unroll 4
  for (std::size_t times = 1; times < kRows; times *= 2) {
    Part<float> next[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows / 2; ++r) {
      Machine::interleave(rows[r].part[0], rows[r + kRows / 2].part[0], next[2 * r].part[0],
                          next[2 * r + 1].part[0]);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) rows[r] = next[r];
  }
}

}  // namespace sluice::inline SLUICE_ISA::simd
