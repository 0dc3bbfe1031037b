#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

namespace sluice::recipe {

/// File types by their number in `general.file_type`. Numbers from 135 on are ik_llama.cpp's, and
/// so is the second meaning of 38.
enum class Ftype : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q8_0 = 7,
  q5_0 = 8,
  q5_1 = 9,
  q2_k = 10,
  q3_k_s = 11,
  q3_k_m = 12,
  q3_k_l = 13,
  q4_k_s = 14,
  q4_k_m = 15,
  q5_k_s = 16,
  q5_k_m = 17,
  q6_k = 18,
  iq2_xxs = 19,
  iq2_xs = 20,
  q2_k_s = 21,
  iq3_xs = 22,
  iq3_xxs = 23,
  iq1_s = 24,
  iq4_nl = 25,
  iq3_s = 26,
  iq3_m = 27,
  iq2_s = 28,
  iq2_m = 29,
  iq4_xs = 30,
  iq1_m = 31,
  bf16 = 32,
  tq1_0 = 36,
  tq2_0 = 37,
  mxfp4 = 38,  ///< llama.cpp: experts in MXFP4, the rest in Q8_0; ik_llama.cpp: all in MXFP4
  nvfp4 = 39,
  q1_0 = 40,
  q2_0 = 41,
  q6_0 = 135,
  iq2_k = 138,
  iq3_k = 139,
  iq4_k = 140,
  iq5_k = 141,
  iq6_k = 142,
  iq4_ks = 145,
  iq3_kl = 146,
  iq2_ks = 147,
  iq4_kss = 148,
  iq5_ks = 150,
  iq2_kt = 151,
  iq3_kt = 152,
  iq4_kt = 153,
  iq3_ks = 154,
  iq2_kl = 155,
  iq1_kt = 156,
  iq1_s_r4 = 224,
  iq1_m_r4 = 231,
};

/// A set of file types, for the tables of rules.
class FtypeSet {
 public:
  constexpr FtypeSet(std::initializer_list<Ftype> types) {
    for (const Ftype type : types) words_[word(type)] |= bit(type);
  }

  constexpr bool contains(Ftype type) const { return (words_[word(type)] & bit(type)) != 0; }

  /// All that are not in this set.
  constexpr FtypeSet operator~() const {
    FtypeSet rest = *this;
    for (std::uint64_t& bits : rest.words_) bits = ~bits;
    return rest;
  }

 private:
  static constexpr std::size_t word(Ftype type) { return static_cast<std::uint32_t>(type) / 64; }
  static constexpr std::uint64_t bit(Ftype type) {
    return std::uint64_t{1} << (static_cast<std::uint32_t>(type) % 64);
  }

  std::array<std::uint64_t, 4> words_{};
};

}  // namespace sluice::recipe
