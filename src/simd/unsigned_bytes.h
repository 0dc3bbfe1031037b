#pragma once

// A register of unsigned bytes: sums that are drawn in, minima, and a byte for each of two registers of
// 16 bits. Exact, and lane by lane but for the order in which two registers are packed, which is the
// machine's, so that results do not depend on it.

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::simd {

class UnsignedBytes {
 public:
  static constexpr std::size_t kLanes = Machine::kBytes;
  using Register = Machine::Register<std::uint8_t>;
  using Shorts = Part<std::int16_t>;

#if defined(__AVX512BW__) && !defined(SLUICE_REGISTER_BYTES)
  using Mask = __mmask64;
#else
  using Mask = Machine::Register<std::int8_t>;  ///< all bits set or none
#endif

  UnsignedBytes() = default;
  /// The same number in all lanes.
  SLUICE_INLINE UnsignedBytes(
      std::uint8_t value) noexcept  // NOLINT: a number stands for many of it
      : lanes_(value - Register{}) {}
  explicit SLUICE_INLINE UnsignedBytes(Register lanes) noexcept : lanes_(lanes) {}

  static SLUICE_INLINE UnsignedBytes load(const std::uint8_t* from) noexcept {
    UnsignedBytes bytes;
    std::memcpy(&bytes.lanes_, from, sizeof bytes.lanes_);
    return bytes;
  }
  SLUICE_INLINE std::uint8_t operator[](std::size_t lane) const noexcept {
    return lanes_[lane];
  }

  friend SLUICE_INLINE UnsignedBytes operator+(const UnsignedBytes& a,
                                               const UnsignedBytes& b) noexcept {
    return UnsignedBytes(a.lanes_ + b.lanes_);
  }
  friend SLUICE_INLINE UnsignedBytes operator&(const UnsignedBytes& a,
                                               const UnsignedBytes& b) noexcept {
    return UnsignedBytes(a.lanes_ & b.lanes_);
  }
  SLUICE_INLINE UnsignedBytes& operator+=(const UnsignedBytes& b) noexcept {
    return *this = *this + b;
  }

  /// What is 0 to 255, less what is below and more what is above: of a, then of b.
  static SLUICE_INLINE UnsignedBytes pack(const Shorts& a, const Shorts& b) noexcept {
    return UnsignedBytes(packed(a.part[0], b.part[0]));
  }
  /// What pack() has made of the first of the two, or the second.
  friend SLUICE_INLINE Shorts unpack(const UnsignedBytes& a, std::size_t which) noexcept {
    return Shorts(unpacked(a.lanes_, which));
  }
  /// By pairs, as ByteTable looks bytes up.
  SLUICE_INLINE Shorts pairs() const noexcept {
    return Shorts((Shorts::Register)lanes_);
  }
  static SLUICE_INLINE UnsignedBytes of_pairs(const Shorts& pairs) noexcept {
    return UnsignedBytes((Register)pairs.part[0]);
  }

#if defined(__AVX512BW__) && !defined(SLUICE_REGISTER_BYTES)
  /// Sums drawn in to 255.
  friend SLUICE_INLINE UnsignedBytes add_saturated(const UnsignedBytes& a,
                                                   const UnsignedBytes& b) noexcept {
    return UnsignedBytes((Register)_mm512_adds_epu8((__m512i)a.lanes_, (__m512i)b.lanes_));
  }
  friend SLUICE_INLINE UnsignedBytes min(const UnsignedBytes& a, const UnsignedBytes& b) noexcept {
    return UnsignedBytes((Register)_mm512_min_epu8((__m512i)a.lanes_, (__m512i)b.lanes_));
  }
  /// The least of a and, where the mask holds, b.
  friend SLUICE_INLINE UnsignedBytes min_where(Mask mask, const UnsignedBytes& a,
                                               const UnsignedBytes& b) noexcept {
    return UnsignedBytes((Register)_mm512_mask_min_epu8((__m512i)a.lanes_, mask, (__m512i)a.lanes_,
                                                        (__m512i)b.lanes_));
  }
  friend SLUICE_INLINE Mask operator<(const UnsignedBytes& a, const UnsignedBytes& b) noexcept {
    return _mm512_cmplt_epu8_mask((__m512i)a.lanes_, (__m512i)b.lanes_);
  }
  friend SLUICE_INLINE Mask less_where(Mask mask, const UnsignedBytes& a,
                                       const UnsignedBytes& b) noexcept {
    return _mm512_mask_cmplt_epu8_mask(mask, (__m512i)a.lanes_, (__m512i)b.lanes_);
  }
  /// Whether one of these bits is set.
  friend SLUICE_INLINE Mask any_bit(const UnsignedBytes& a, int bits) noexcept {
    return _mm512_test_epi8_mask((__m512i)a.lanes_, _mm512_set1_epi8(static_cast<char>(bits)));
  }
  friend SLUICE_INLINE UnsignedBytes select(Mask mask, const UnsignedBytes& a,
                                            const UnsignedBytes& b) noexcept {
    return UnsignedBytes(
        (Register)_mm512_mask_mov_epi8((__m512i)b.lanes_, mask, (__m512i)a.lanes_));
  }

 private:
  /// By turns eight of a and eight of b.
  static SLUICE_INLINE Register packed(Shorts::Register a, Shorts::Register b) noexcept {
    return (Register)_mm512_packus_epi16((__m512i)a, (__m512i)b);
  }
  static SLUICE_INLINE Shorts::Register unpacked(Register a, std::size_t which) noexcept {
    const __m512i zeros = _mm512_setzero_si512();
    return (Shorts::Register)(which == 0 ? _mm512_unpacklo_epi8((__m512i)a, zeros)
                                         : _mm512_unpackhi_epi8((__m512i)a, zeros));
  }
#else
  friend SLUICE_INLINE UnsignedBytes add_saturated(const UnsignedBytes& a,
                                                   const UnsignedBytes& b) noexcept {
    return UnsignedBytes(sums(a.lanes_, b.lanes_));
  }
  friend SLUICE_INLINE UnsignedBytes min(const UnsignedBytes& a, const UnsignedBytes& b) noexcept {
    return UnsignedBytes(minima(a.lanes_, b.lanes_));
  }
  friend SLUICE_INLINE UnsignedBytes min_where(Mask mask, const UnsignedBytes& a,
                                               const UnsignedBytes& b) noexcept {
    return UnsignedBytes(minima(a.lanes_, b.lanes_ | (Register)~mask));
  }
  /// Where a is not the larger one; there are instructions for a minimum and for what is equal.
  friend SLUICE_INLINE Mask operator<(const UnsignedBytes& a, const UnsignedBytes& b) noexcept {
    return minima(a.lanes_, b.lanes_) != b.lanes_;
  }
  friend SLUICE_INLINE Mask less_where(Mask mask, const UnsignedBytes& a,
                                       const UnsignedBytes& b) noexcept {
    return mask & (a < b);
  }
  friend SLUICE_INLINE Mask any_bit(const UnsignedBytes& a, int bits) noexcept {
    return (a.lanes_ & static_cast<std::uint8_t>(bits)) != 0;
  }
  friend SLUICE_INLINE UnsignedBytes select(Mask mask, const UnsignedBytes& a,
                                            const UnsignedBytes& b) noexcept {
    return UnsignedBytes(mask ? a.lanes_ : b.lanes_);
  }

 private:
#if defined(__AVX2__) && !defined(SLUICE_REGISTER_BYTES)
  static SLUICE_INLINE Register sums(Register a, Register b) noexcept {
    return (Register)_mm256_adds_epu8((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Register minima(Register a, Register b) noexcept {
    return (Register)_mm256_min_epu8((__m256i)a, (__m256i)b);
  }
  /// By turns eight of a and eight of b.
  static SLUICE_INLINE Register packed(Shorts::Register a, Shorts::Register b) noexcept {
    return (Register)_mm256_packus_epi16((__m256i)a, (__m256i)b);
  }
  static SLUICE_INLINE Shorts::Register unpacked(Register a, std::size_t which) noexcept {
    const __m256i zeros = _mm256_setzero_si256();
    return (Shorts::Register)(which == 0 ? _mm256_unpacklo_epi8((__m256i)a, zeros)
                                         : _mm256_unpackhi_epi8((__m256i)a, zeros));
  }
#elif defined(SLUICE_NEON)
  static SLUICE_INLINE Register sums(Register a, Register b) noexcept {
    return vqaddq_u8(a, b);
  }
  static SLUICE_INLINE Register minima(Register a, Register b) noexcept {
    return vminq_u8(a, b);
  }
  static SLUICE_INLINE Register packed(Shorts::Register a, Shorts::Register b) noexcept {
    return vqmovun_high_s16(vqmovun_s16(a), b);
  }
  static SLUICE_INLINE Shorts::Register unpacked(Register a, std::size_t which) noexcept {
    return (Shorts::Register)(which == 0 ? vmovl_u8(vget_low_u8(a)) : vmovl_high_u8(a));
  }
#elif defined(__SSE2__) && !defined(SLUICE_REGISTER_BYTES)
  static SLUICE_INLINE Register sums(Register a, Register b) noexcept {
    return (Register)_mm_adds_epu8((__m128i)a, (__m128i)b);
  }
  static SLUICE_INLINE Register minima(Register a, Register b) noexcept {
    return (Register)_mm_min_epu8((__m128i)a, (__m128i)b);
  }
  static SLUICE_INLINE Register packed(Shorts::Register a, Shorts::Register b) noexcept {
    return (Register)_mm_packus_epi16((__m128i)a, (__m128i)b);
  }
  static SLUICE_INLINE Shorts::Register unpacked(Register a, std::size_t which) noexcept {
    const __m128i zeros = _mm_setzero_si128();
    return (Shorts::Register)(which == 0 ? _mm_unpacklo_epi8((__m128i)a, zeros)
                                         : _mm_unpackhi_epi8((__m128i)a, zeros));
  }
#else
  static SLUICE_INLINE Register sums(Register a, Register b) noexcept {
    const Register sum = a + b;
    return sum | (Register)(sum < a);
  }
  static SLUICE_INLINE Register minima(Register a, Register b) noexcept {
    return a < b ? a : b;
  }
  static SLUICE_INLINE Register packed(Shorts::Register a, Shorts::Register b) noexcept {
    const auto drawn_in = [](int x) noexcept {
      return static_cast<std::uint8_t>(x < 0 ? 0 : x > 255 ? 255 : x);
    };
    Register bytes;
    for (std::size_t i = 0; i < Shorts::kLanes; ++i) {
      bytes[i] = drawn_in(a[i]);
      bytes[Shorts::kLanes + i] = drawn_in(b[i]);
    }
    return bytes;
  }
  static SLUICE_INLINE Shorts::Register unpacked(Register a, std::size_t which) noexcept {
    Shorts::Register shorts;
    for (std::size_t i = 0; i < Shorts::kLanes; ++i) shorts[i] = a[Shorts::kLanes * which + i];
    return shorts;
  }
#endif
#endif

  Register lanes_;
};

}  // namespace sluice::inline SLUICE_ISA::simd
