#pragma once

// Tables that are looked up by many numbers at once.

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA::simd {

/// table[index], lane by lane from memory. Not by an instruction: AVX2's is hardly faster, and many
/// times slower on processors whose microcode keeps it from leaking.
template <typename Entry, std::size_t kEntries, std::size_t N>
SLUICE_INLINE Lanes<std::int16_t, N> gather(const std::array<Entry, kEntries>& table,
                                            const Lanes<std::int16_t, N>& index) noexcept {
  Lanes<std::int16_t, N> result;
  std::uint16_t lanes[N];
  std::memcpy(lanes, &index.part, sizeof lanes);
  for (std::uint16_t& lane : lanes) lane = static_cast<std::uint16_t>(table[lane]);
  std::memcpy(&result.part, lanes, sizeof lanes);
  return result;
}

#if defined(__AVX512VBMI__)

/// Up to 128 bytes, which one instruction looks up.
template <std::size_t kEntries>
class ByteTable {
 public:
  static_assert(kEntries <= 128);

  template <typename EntryOf>
  explicit constexpr ByteTable(const EntryOf& entry_of) noexcept {
    for (std::size_t i = 0; i < kEntries; ++i) byte_[i] = entry_of(i);
  }

  /// Every byte of the lanes looked up; all are below kEntries.
  template <std::size_t N>
  SLUICE_INLINE Lanes<std::int16_t, N> look_up(const Lanes<std::int16_t, N>& index) const noexcept {
    const __m512i low = _mm512_load_si512(&byte_[0]);
    const __m512i i = (__m512i)index.part[0];
    const __m512i found = kEntries <= 64
                              ? _mm512_permutexvar_epi8(i, low)
                              : _mm512_permutex2var_epi8(low, i, _mm512_load_si512(&byte_[64]));
    return Lanes<std::int16_t, N>((typename Lanes<std::int16_t, N>::Register)found);
  }

 private:
  alignas(64) std::array<std::uint8_t, 128> byte_{};
};

/// A set of numbers below kSize, in registers: 1024 of them to a pair, and number n is bit
/// n >> 7 & 7 of byte n & 127 of the pair.
template <std::size_t kSize>
class NumberSet {
 public:
  static_assert(kSize > 6 * 1024 && kSize <= 7 * 1024);

  template <typename IsMember>
  explicit constexpr NumberSet(const IsMember& is_member) noexcept {
    for (std::size_t n = 0; n < kSize; ++n) {
      if (is_member(n)) {
        std::uint8_t& byte = table_[n >> 10][n & 127];
        byte = static_cast<std::uint8_t>(byte | 1u << (n >> 7 & 7));
      }
    }
    for (std::size_t i = 0; i < 64; ++i) bit_[i] = static_cast<std::uint8_t>(1u << (i % 8));
  }

  /// Which numbers of a and of b are members.
  SLUICE_INLINE void test(const Shorts& a, const Shorts& b, ShortMask& in_a,
                          ShortMask& in_b) const noexcept {
    // Bytes of a and b by turns: the low 7 bits of the numbers (and one that does not count), and
    // the high 6.
    const __m512i low_byte = _mm512_set1_epi16(0xff);
    const __m512i from_a = (__m512i)a.part[0];
    const __m512i from_b = (__m512i)b.part[0];
    const __m512i low = pick(low_byte, from_a, _mm512_slli_epi16(from_b, 8));
    const __m512i high = pick(low_byte, _mm512_srli_epi16(from_a, 7), _mm512_slli_epi16(from_b, 1));
    const __mmask64 m0 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(8));
    const __mmask64 m1 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(16));
    const __mmask64 m2 = _mm512_test_epi8_mask(high, _mm512_set1_epi8(32));
    const auto in_pair = [&](std::size_t t) noexcept {
      return _mm512_permutex2var_epi8(_mm512_load_si512(&table_[t][0]), low,
                                      _mm512_load_si512(&table_[t][64]));
    };
    const __m512i t01 = _mm512_mask_mov_epi8(in_pair(0), m0, in_pair(1));
    const __m512i t23 = _mm512_mask_mov_epi8(in_pair(2), m0, in_pair(3));
    const __m512i t45 = _mm512_mask_mov_epi8(in_pair(4), m0, in_pair(5));
    const __m512i t0123 = _mm512_mask_mov_epi8(t01, m1, t23);
    const __m512i t456 = _mm512_mask_mov_epi8(t45, m1, in_pair(6));
    const __m512i bits = _mm512_mask_mov_epi8(t0123, m2, t456);
    const __m512i hit =
        _mm512_and_si512(bits, _mm512_permutexvar_epi8(high, _mm512_load_si512(&bit_[0])));
    in_a.part[0] = _mm512_test_epi16_mask(hit, low_byte);
    in_b.part[0] = _mm512_test_epi16_mask(hit, _mm512_set1_epi16(static_cast<short>(0xff00)));
  }

 private:
  static SLUICE_INLINE __m512i pick(__m512i mask, __m512i a, __m512i b) noexcept {
    return _mm512_ternarylogic_epi32(mask, a, b, 0xca);
  }

  alignas(64) std::array<std::array<std::uint8_t, 128>, 7> table_{};
  alignas(64) std::array<std::uint8_t, 64> bit_{};
};

#elif defined(__AVX2__)

/// Up to 128 bytes, 16 of which one instruction looks up.
template <std::size_t kEntries>
class ByteTable {
 public:
  static_assert(kEntries <= 128);

  template <typename EntryOf>
  explicit constexpr ByteTable(const EntryOf& entry_of) noexcept {
    for (std::size_t i = 0; i < kEntries; ++i) {
      const unsigned before = i < 16 ? 0 : entry_of(i - 16);
      change_[i] = static_cast<std::uint8_t>(entry_of(i) ^ before);
    }
  }

  /// Every byte of the lanes looked up; all are below kEntries.
  template <std::size_t N>
  SLUICE_INLINE Lanes<std::int16_t, N> look_up(const Lanes<std::int16_t, N>& index) const noexcept {
    Lanes<std::int16_t, N> result;
    using Bytes = typename Machine::template Register<std::uint8_t>;
    for (std::size_t i = 0; i < index.kParts; ++i) {
      // A shuffle looks at 4 bits, and gives zero for a negative byte: so the changes up to the
      // sixteen that the index is in come together.
      Bytes left = (Bytes)index.part[i];
      Bytes found = Machine::shuffle_bytes(&change_[0], left);
      for (std::size_t from = 16; from < kEntries; from += 16) {
        left -= 16;
        found ^= Machine::shuffle_bytes(&change_[from], left);
      }
      result.part[i] = (typename Lanes<std::int16_t, N>::Register)found;
    }
    return result;
  }

 private:
  // What a byte is more than the one 16 places before.
  alignas(16) std::array<std::uint8_t, (kEntries + 15) / 16 * 16> change_{};
};

#endif

#if defined(__AVX512BW__)

/// 16 numbers of 16 bits.
class ShortTable {
 public:
  template <typename EntryOf>
  explicit constexpr ShortTable(const EntryOf& entry_of) noexcept {
    for (std::size_t i = 0; i < entry_.size(); ++i) entry_[i] = entry_of(i % 16);
  }

  /// The low 4 bits of an index count.
  template <std::size_t N>
  SLUICE_INLINE Lanes<std::int16_t, N> look_up(const Lanes<std::int16_t, N>& index) const noexcept {
    return Lanes<std::int16_t, N>(
        (typename Lanes<std::int16_t, N>::Register)_mm512_permutexvar_epi16(
            (__m512i)index.part[0], _mm512_load_si512(&entry_[0])));
  }

 private:
  alignas(64) std::array<std::int16_t, 32> entry_{};  // twice: the instruction looks at 5 bits
};

#elif defined(__AVX2__)

/// 16 numbers of 16 bits.
class ShortTable {
 public:
  template <typename EntryOf>
  explicit constexpr ShortTable(const EntryOf& entry_of) noexcept {
    for (std::size_t i = 0; i < 16; ++i) {
      const auto entry = static_cast<std::uint16_t>(entry_of(i));
      low_[i] = static_cast<std::uint8_t>(entry);
      high_[i] = static_cast<std::uint8_t>(entry >> 8);
    }
  }

  /// The low 4 bits of an index count.
  template <std::size_t N>
  SLUICE_INLINE Lanes<std::int16_t, N> look_up(const Lanes<std::int16_t, N>& index) const noexcept {
    const __m256i low = twice(low_);
    const __m256i high = twice(high_);
    Lanes<std::int16_t, N> result;
    for (std::size_t i = 0; i < index.kParts; ++i) {
      // Negative bytes give zeros.
      const __m256i at = (__m256i)(index.part[i] & 15);
      const __m256i first = _mm256_or_si256(at, _mm256_set1_epi16(-0x8000));
      const __m256i second = _mm256_or_si256(_mm256_slli_epi16(at, 8), _mm256_set1_epi16(0x80));
      result.part[i] = (typename Lanes<std::int16_t, N>::Register)_mm256_or_si256(
          _mm256_shuffle_epi8(low, first), _mm256_shuffle_epi8(high, second));
    }
    return result;
  }

 private:
  static SLUICE_INLINE __m256i twice(const std::array<std::uint8_t, 16>& bytes) noexcept {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(&bytes[0])));
  }

  alignas(16) std::array<std::uint8_t, 16> low_{};
  alignas(16) std::array<std::uint8_t, 16> high_{};
};

#elif defined(SLUICE_NEON)

/// Up to 128 bytes: an instruction looks up 64, and one more the others.
template <std::size_t kEntries>
class ByteTable {
 public:
  static_assert(kEntries <= 128);

  template <typename EntryOf>
  explicit constexpr ByteTable(const EntryOf& entry_of) noexcept {
    for (std::size_t i = 0; i < kEntries; ++i) byte_[i] = entry_of(i);
  }

  /// Every byte of the lanes looked up; all are below kEntries.
  template <std::size_t N>
  SLUICE_INLINE Lanes<std::int16_t, N> look_up(const Lanes<std::int16_t, N>& index) const noexcept {
    Lanes<std::int16_t, N> result;
    for (std::size_t i = 0; i < index.kParts; ++i) {
      result.part[i] = Machine::template look_up_bytes<kSize>(byte_.data(), index.part[i]);
    }
    return result;
  }

 private:
  static constexpr std::size_t kSize = kEntries <= 64 ? 64 : 128;
  alignas(16) std::array<std::uint8_t, kSize> byte_{};
};

#else

/// Up to 128 bytes.
template <std::size_t kEntries>
class ByteTable {
 public:
  static_assert(kEntries <= 128);

  template <typename EntryOf>
  explicit constexpr ByteTable(const EntryOf& entry_of) noexcept {
    for (std::size_t i = 0; i < kEntries; ++i) byte_[i] = entry_of(i);
  }

  /// Every byte of the lanes looked up; all are below kEntries.
  template <std::size_t N>
  SLUICE_INLINE Lanes<std::int16_t, N> look_up(const Lanes<std::int16_t, N>& index) const noexcept {
    std::uint8_t bytes[2 * N];
    std::memcpy(bytes, &index.part, sizeof bytes);
    for (std::uint8_t& byte : bytes) byte = byte_[byte];
    Lanes<std::int16_t, N> result;
    std::memcpy(&result.part, bytes, sizeof bytes);
    return result;
  }

 private:
  std::array<std::uint8_t, kEntries> byte_{};
};

/// 16 numbers of 16 bits.
class ShortTable {
 public:
  template <typename EntryOf>
  explicit constexpr ShortTable(const EntryOf& entry_of) noexcept {
    for (std::size_t i = 0; i < entry_.size(); ++i) entry_[i] = entry_of(i);
  }

  /// The low 4 bits of an index count.
  template <std::size_t N>
  SLUICE_INLINE Lanes<std::int16_t, N> look_up(const Lanes<std::int16_t, N>& index) const noexcept {
    return gather(entry_, index & 15);
  }

 private:
  std::array<std::int16_t, 16> entry_{};
};

#endif

}  // namespace sluice::inline SLUICE_ISA::simd
