#pragma once

// The lanes of lanes.h as arrays of the compiler's vectors, as wide as the registers are: AVX2,
// SSE2 or whatever the machine has. Included by lanes.h only.

namespace sluice::inline SLUICE_ISA::iq1_m {

#if defined(__AVX2__)
inline constexpr std::size_t kRegister = 32;
#else
inline constexpr std::size_t kRegister = 16;
#endif
inline constexpr std::size_t kParts = 64 / kRegister;

typedef float FloatRegister __attribute__((vector_size(kRegister)));
typedef std::int32_t IntRegister __attribute__((vector_size(kRegister)));
typedef std::int16_t ShortRegister __attribute__((vector_size(kRegister)));
typedef std::uint16_t UnsignedRegister __attribute__((vector_size(kRegister)));

struct FloatMask {
  IntRegister part[kParts];  // all bits or none
};
struct Floats {
  FloatRegister part[kParts];
};
struct LaneMask {
  ShortRegister part[kParts];  // all bits or none
};
struct Shorts {
  ShortRegister part[kParts];
};

template <typename To, typename Operation>
SLUICE_INLINE To for_parts(Operation operation) noexcept {
  To result;
  for (std::size_t i = 0; i < kParts; ++i) result.part[i] = operation(i);
  return result;
}

SLUICE_INLINE Floats load(const float* p) noexcept {
  Floats a;
  std::memcpy(&a, p, sizeof a);
  return a;
}
SLUICE_INLINE void store(const Floats& a, float* p) noexcept {
  std::memcpy(p, &a, sizeof a);
}
SLUICE_INLINE Floats all(float a) noexcept {
  return for_parts<Floats>([&](std::size_t) noexcept { return FloatRegister{} + a; });
}
#define SLUICE_LANES(Type, name, expression)                       \
  SLUICE_INLINE Type name(const Type& a, const Type& b) noexcept { \
    return for_parts<Type>([&](std::size_t i) noexcept {           \
      const auto x = a.part[i];                                    \
      const auto y = b.part[i];                                    \
      return expression;                                           \
    });                                                            \
  }
SLUICE_LANES(Floats, operator+, x + y)
SLUICE_LANES(Floats, operator-, x - y)
SLUICE_LANES(Floats, operator*, x* y)
SLUICE_LANES(Floats, operator/, x / y)
SLUICE_LANES(Floats, least, x < y ? x : y)
SLUICE_LANES(Floats, most, x > y ? x : y)
SLUICE_LANES(Shorts, operator+, x + y)
SLUICE_LANES(Shorts, operator-, x - y)
SLUICE_LANES(Shorts, operator&, x& y)
SLUICE_LANES(Shorts, operator|, x | y)
SLUICE_LANES(Shorts, operator^, x ^ y)
SLUICE_LANES(Shorts, least, x < y ? x : y)
SLUICE_LANES(Shorts, most, x > y ? x : y)
#undef SLUICE_LANES

SLUICE_INLINE Floats magnitude(const Floats& a) noexcept {
  return for_parts<Floats>([&](std::size_t i) noexcept {
    return reinterpret_cast<FloatRegister>(reinterpret_cast<IntRegister>(a.part[i]) & 0x7fffffff);
  });
}
SLUICE_INLINE Floats root(const Floats& a) noexcept {
#if defined(__AVX2__)
  return for_parts<Floats>([&](std::size_t i) noexcept { return _mm256_sqrt_ps(a.part[i]); });
#elif defined(__SSE2__)
  return for_parts<Floats>([&](std::size_t i) noexcept { return _mm_sqrt_ps(a.part[i]); });
#else
  return for_parts<Floats>([&](std::size_t i) noexcept {
    FloatRegister r;
    for (std::size_t k = 0; k < kRegister / 4; ++k) r[k] = std::sqrt(a.part[i][k]);
    return r;
  });
#endif
}
SLUICE_INLINE Floats truncate(const Floats& a) noexcept {
  return for_parts<Floats>([&](std::size_t i) noexcept {
    return __builtin_convertvector(__builtin_convertvector(a.part[i], IntRegister), FloatRegister);
  });
}
SLUICE_INLINE FloatMask operator<(const Floats& a, const Floats& b) noexcept {
  return for_parts<FloatMask>([&](std::size_t i) noexcept { return a.part[i] < b.part[i]; });
}
SLUICE_INLINE Floats select(const FloatMask& m, const Floats& a, const Floats& b) noexcept {
  return for_parts<Floats>(
      [&](std::size_t i) noexcept { return m.part[i] ? a.part[i] : b.part[i]; });
}

SLUICE_INLINE Shorts shorts(int a) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t) noexcept { return ShortRegister{} + static_cast<std::int16_t>(a); });
}
SLUICE_INLINE void store(const Shorts& a, std::uint16_t* p) noexcept {
  std::memcpy(p, &a, sizeof a);
}
SLUICE_INLINE Shorts load(const std::uint16_t* p) noexcept {
  Shorts a;
  std::memcpy(&a, p, sizeof a);
  return a;
}
SLUICE_INLINE Shorts magnitude(const Shorts& a) noexcept {
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    const ShortRegister negated = -a.part[i];
    return a.part[i] > negated ? a.part[i] : negated;
  });
}
SLUICE_INLINE Shorts add_saturated(const Shorts& a, const Shorts& b) noexcept {
#if defined(__AVX2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(_mm256_adds_epi16(reinterpret_cast<__m256i>(a.part[i]),
                                                             reinterpret_cast<__m256i>(b.part[i])));
  });
#elif defined(__SSE2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(
        _mm_adds_epi16(reinterpret_cast<__m128i>(a.part[i]), reinterpret_cast<__m128i>(b.part[i])));
  });
#else
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    ShortRegister r;
    for (std::size_t k = 0; k < kRegister / 2; ++k) {
      const int exact = a.part[i][k] + b.part[i][k];
      r[k] = static_cast<std::int16_t>(exact > 32767 ? 32767 : exact < -32768 ? -32768 : exact);
    }
    return r;
  });
#endif
}
SLUICE_INLINE Shorts multiply_high(const Shorts& a, const Shorts& b) noexcept {
#if defined(__AVX2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(_mm256_mulhi_epu16(
        reinterpret_cast<__m256i>(a.part[i]), reinterpret_cast<__m256i>(b.part[i])));
  });
#elif defined(__SSE2__)
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(_mm_mulhi_epu16(reinterpret_cast<__m128i>(a.part[i]),
                                                           reinterpret_cast<__m128i>(b.part[i])));
  });
#else
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    ShortRegister r;
    for (std::size_t k = 0; k < kRegister / 2; ++k) {
      r[k] = static_cast<std::int16_t>(std::uint32_t{static_cast<std::uint16_t>(a.part[i][k])} *
                                           static_cast<std::uint16_t>(b.part[i][k]) >>
                                       16);
    }
    return r;
  });
#endif
}
template <int kBits>
SLUICE_INLINE Shorts left(const Shorts& a) noexcept {
  return for_parts<Shorts>([&](std::size_t i) noexcept { return a.part[i] << kBits; });
}
template <int kBits>
SLUICE_INLINE Shorts right(const Shorts& a) noexcept {
  return for_parts<Shorts>([&](std::size_t i) noexcept {
    return reinterpret_cast<ShortRegister>(reinterpret_cast<UnsignedRegister>(a.part[i]) >> kBits);
  });
}
/// Twice a, plus 1 where b is negative.
SLUICE_INLINE Shorts append_sign(const Shorts& a, const Shorts& b) noexcept {
  return left<1>(a) | right<15>(b);
}
SLUICE_INLINE LaneMask operator<(const Shorts& a, const Shorts& b) noexcept {
  return for_parts<LaneMask>([&](std::size_t i) noexcept { return a.part[i] < b.part[i]; });
}
SLUICE_INLINE LaneMask less_where(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<LaneMask>(
      [&](std::size_t i) noexcept { return (a.part[i] < b.part[i]) & m.part[i]; });
}
SLUICE_INLINE LaneMask negative(const Shorts& a) noexcept {
  return for_parts<LaneMask>([&](std::size_t i) noexcept { return a.part[i] >> 15; });
}
SLUICE_INLINE LaneMask any_bit(const Shorts& a, int bits) noexcept {
  return for_parts<LaneMask>(
      [&](std::size_t i) noexcept { return (a.part[i] & static_cast<std::int16_t>(bits)) != 0; });
}
SLUICE_INLINE Shorts select(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t i) noexcept { return m.part[i] ? a.part[i] : b.part[i]; });
}
SLUICE_INLINE Shorts add_where(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t i) noexcept { return a.part[i] + (b.part[i] & m.part[i]); });
}
SLUICE_INLINE Shorts subtract_where(const LaneMask& m, const Shorts& a, const Shorts& b) noexcept {
  return for_parts<Shorts>(
      [&](std::size_t i) noexcept { return a.part[i] - (b.part[i] & m.part[i]); });
}

/// 16 lanes of 32 bits as memory, and 32 of 16: how halves are split and joined.
struct Ints {
  std::int32_t lane[kFloats];
};
struct ShortLanes {
  std::int16_t lane[kLanes];
};
template <typename To, typename From>
SLUICE_INLINE To recast(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
SLUICE_INLINE ShortLanes narrow(const Ints& low, const Ints& high) noexcept {
  ShortLanes lanes;
  for (std::size_t i = 0; i < kFloats; ++i) {
    lanes.lane[i] = static_cast<std::int16_t>(low.lane[i]);
  }
  for (std::size_t i = 0; i < kFloats; ++i) {
    lanes.lane[kFloats + i] = static_cast<std::int16_t>(high.lane[i]);
  }
  return lanes;
}
SLUICE_INLINE Ints widen(const ShortLanes& lanes, std::size_t half) noexcept {
  Ints ints;
  for (std::size_t i = 0; i < kFloats; ++i) ints.lane[i] = lanes.lane[half * kFloats + i];
  return ints;
}
SLUICE_INLINE LaneMask join(const FloatMask& low, const FloatMask& high) noexcept {
  return recast<LaneMask>(narrow(recast<Ints>(low), recast<Ints>(high)));
}
SLUICE_INLINE FloatMask half(const LaneMask& m, std::size_t which) noexcept {
  return recast<FloatMask>(widen(recast<ShortLanes>(m), which));
}
SLUICE_INLINE Ints to_ints(const Floats& a) noexcept {
  struct Parts {
    IntRegister part[kParts];
  };
  return recast<Ints>(for_parts<Parts>(
      [&](std::size_t i) noexcept { return __builtin_convertvector(a.part[i], IntRegister); }));
}

/// The lanes of two halves, rounded toward zero: integers of 16 bits, signed or not.
SLUICE_INLINE Shorts integers(const Floats& low, const Floats& high) noexcept {
  return recast<Shorts>(narrow(to_ints(low), to_ints(high)));
}
SLUICE_INLINE Floats floats(const Shorts& a, std::size_t half) noexcept {
  const Ints ints = widen(recast<ShortLanes>(a), half);
  Floats result;
  float lanes[kFloats];
  for (std::size_t i = 0; i < kFloats; ++i) lanes[i] = static_cast<float>(ints.lane[i]);
  std::memcpy(&result, lanes, sizeof result);
  return result;
}

/// Lanes 2i and 2i + 1 change places.
SLUICE_INLINE Floats swap_neighbours(const Floats& a) noexcept {
  float lanes[kFloats];
  float swapped[kFloats];
  store(a, lanes);
  for (std::size_t i = 0; i < kFloats; ++i) swapped[i] = lanes[i ^ 1];
  return load(swapped);
}

/// Lanes are added as pairs 8 apart, then 4, 2, 1: the same order for every register width.
SLUICE_INLINE float sum(const Floats& a) noexcept {
  float lanes[kFloats];
  store(a, lanes);
  for (std::size_t width = kFloats / 2; width > 0; width /= 2) {
    for (std::size_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}
SLUICE_INLINE float largest(const Floats& a) noexcept {
  float lanes[kFloats];
  store(a, lanes);
  float result = lanes[0];
  for (const float lane : lanes) result = lane > result ? lane : result;
  return result;
}
/// The first of the least lanes.
SLUICE_INLINE std::size_t place_of_least(const Floats& a) noexcept {
  float lanes[kFloats];
  store(a, lanes);
  std::size_t place = 0;
  for (std::size_t i = 1; i < kFloats; ++i) place = lanes[i] < lanes[place] ? i : place;
  return place;
}

/// Rows of 16 to columns: lane r of out[c] is rows[16 * r + c].
SLUICE_INLINE void transpose(const float* rows, Floats* out) noexcept {
  for (std::size_t c = 0; c < kFloats; ++c) {
    float lanes[kFloats];
    for (std::size_t r = 0; r < kFloats; ++r) lanes[r] = rows[kFloats * r + c];
    std::memcpy(&out[c], lanes, sizeof lanes);
  }
}

}  // namespace sluice::inline SLUICE_ISA::iq1_m
