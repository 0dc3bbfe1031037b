#pragma once

// One lane, one sub-block: searches run the same steps for 16 sub-blocks side by side, with no sum
// across lanes in between, so that a kernel's register width does not show in the bytes. Sixteen
// floats are one, two or four registers; every operation is one correctly rounded IEEE operation.

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#ifdef __SSE2__
#include <immintrin.h>
#endif

namespace sluice::inline SLUICE_ISA {

inline constexpr std::size_t kLanes = 16;

#if defined(__AVX512F__)
inline constexpr std::size_t kRegisterBytes = 64;
#elif defined(__AVX2__)
inline constexpr std::size_t kRegisterBytes = 32;
#else
inline constexpr std::size_t kRegisterBytes = 16;
#endif
inline constexpr std::size_t kRegisterLanes = kRegisterBytes / sizeof(float);
inline constexpr std::size_t kRegisters = kLanes / kRegisterLanes;

/// One register of floats, of 32-bit integers.
using FloatRegister = float __attribute__((vector_size(kRegisterBytes)));
using IntRegister = std::int32_t __attribute__((vector_size(kRegisterBytes)));

/// What holds for some lanes: all bits set or none.
struct LaneMask {
  IntRegister part[kRegisters];
};

struct Lanes {
  FloatRegister part[kRegisters];

  Lanes() = default;
  Lanes(float value) noexcept {  // NOLINT: a number stands for sixteen of it
    for (FloatRegister& p : part) p = FloatRegister{} + value;
  }
  static Lanes load(const float* from) noexcept {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof(lanes));
    return lanes;
  }
  void store(float* to) const noexcept { std::memcpy(to, this, sizeof(*this)); }
  float operator[](std::size_t lane) const noexcept {
    return part[lane / kRegisterLanes][lane % kRegisterLanes];
  }

#define SLUICE_LANES_OPERATOR(op)                                                         \
  friend Lanes operator op(const Lanes& a, const Lanes& b) noexcept {                     \
    Lanes result;                                                                         \
    for (std::size_t i = 0; i < kRegisters; ++i) result.part[i] = a.part[i] op b.part[i]; \
    return result;                                                                        \
  }
  SLUICE_LANES_OPERATOR(+)
  SLUICE_LANES_OPERATOR(-)
  SLUICE_LANES_OPERATOR(*)
  SLUICE_LANES_OPERATOR(/)
#undef SLUICE_LANES_OPERATOR

  friend LaneMask operator<(const Lanes& a, const Lanes& b) noexcept {
    LaneMask mask;
    for (std::size_t i = 0; i < kRegisters; ++i) mask.part[i] = a.part[i] < b.part[i];
    return mask;
  }
  friend LaneMask operator>(const Lanes& a, const Lanes& b) noexcept {
    return b < a;
  }
};

static inline Lanes select(const LaneMask& mask, const Lanes& yes, const Lanes& no) noexcept {
  Lanes result;
  for (std::size_t i = 0; i < kRegisters; ++i) {
    result.part[i] = mask.part[i] ? yes.part[i] : no.part[i];
  }
  return result;
}

/// a where one of the two is NaN: b.
static inline Lanes lesser(const Lanes& a, const Lanes& b) noexcept {
  return select(a < b, a, b);
}
static inline Lanes greater(const Lanes& a, const Lanes& b) noexcept {
  return select(b < a, a, b);
}

static inline Lanes magnitude(const Lanes& a) noexcept {
  return greater(a, Lanes(0) - a);
}

static inline Lanes square_root(const Lanes& a) noexcept {
  Lanes result;
  for (std::size_t i = 0; i < kRegisters; ++i) {
#if defined(__AVX512F__)
    result.part[i] = _mm512_maskz_sqrt_ps(0xffff, a.part[i]);
#elif defined(__AVX2__)
    result.part[i] = _mm256_sqrt_ps(a.part[i]);
#elif defined(__SSE2__)
    result.part[i] = _mm_sqrt_ps(a.part[i]);
#else
    for (std::size_t k = 0; k < kRegisterLanes; ++k) result.part[i][k] = std::sqrt(a.part[i][k]);
#endif
  }
  return result;
}

/// Integers nearest to values of less than 2^22, ties to even: adding 1.5 * 2^23 leaves no bits
/// below one.
static inline Lanes nearest_integers(const Lanes& a) noexcept {
  constexpr float kShift = 0x1.8p23f;
  return (a + kShift) - kShift;
}

/// Lane pairs that are 8 apart, then 4, 2, 1: the same tree whatever the registers.
template <typename Join>
static inline float join_lanes(const Lanes& lanes, const Join& join) noexcept {
  using Four = float __attribute__((vector_size(16)));
  std::array<Four, 4> part;
  std::memcpy(part.data(), &lanes, sizeof(lanes));
  const Four four = join(join(part[0], part[2]), join(part[1], part[3]));
  const Four two = join(four, __builtin_shufflevector(four, four, 2, 3, 2, 3));
  return join(two, __builtin_shufflevector(two, two, 1, 1, 1, 1))[0];
}
static inline float sum_of_lanes(const Lanes& lanes) noexcept {
  return join_lanes(lanes, [](auto a, auto b) noexcept { return a + b; });
}
static inline float largest_of_lanes(const Lanes& lanes) noexcept {
  return join_lanes(lanes, [](auto a, auto b) noexcept { return a > b ? a : b; });
}

/// Lane l and lane l + 8 change places.
static inline Lanes swap_halves(const Lanes& a) noexcept {
  std::array<float, kLanes> halves;
  std::memcpy(&halves[kLanes / 2], &a, sizeof(a) / 2);
  std::memcpy(&halves[0], reinterpret_cast<const char*>(&a) + sizeof(a) / 2, sizeof(a) / 2);
  return Lanes::load(halves.data());
}

/// Four rows of four become four columns. Rows are `stride` floats apart.
static inline void transpose_4x4(const float* rows, std::size_t stride, float* columns,
                                 std::size_t column_stride) noexcept {
  using Four = float __attribute__((vector_size(16)));
  std::array<Four, 4> row;
  for (std::size_t i = 0; i < 4; ++i) std::memcpy(&row[i], rows + i * stride, sizeof(Four));
  const Four ab_low = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four ab_high = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four cd_low = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four cd_high = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const std::array<Four, 4> column = {__builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5),
                                      __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
                                      __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5),
                                      __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (std::size_t i = 0; i < 4; ++i) {
    std::memcpy(columns + i * column_stride, &column[i], sizeof(Four));
  }
}

/// Lane l of out[j] = values[l * kSize + j].
template <std::size_t kSize>
void to_lanes(const float* values, std::array<Lanes, kSize>& out) noexcept {
  float* const columns = reinterpret_cast<float*>(out.data());
  for (std::size_t lane = 0; lane < kLanes; lane += 4) {
    for (std::size_t j = 0; j < kSize; j += 4) {
      transpose_4x4(values + lane * kSize + j, kSize, columns + j * kLanes + lane, kLanes);
    }
  }
}

}  // namespace sluice::inline SLUICE_ISA
