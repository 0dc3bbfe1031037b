// Types with codebooks of magnitudes and signs, interleaved.

#include "codec/interleaved/layout.h"

namespace sluice::inline SLUICE_ISA {

/// Where eight signs have seven bits (i_quants/signs.h), these are stored as t, of which sign j is
/// bit j ^ bit j - 1. `later`: the bits of `word` that are no group's first.
constexpr std::uint32_t signs_from_sums(std::uint32_t word, std::uint32_t later) noexcept {
  return word ^ (word << 1 & later);
}

/// Words of 32 bits: of four groups a sign index of seven bits each, and the four bits of a scale above.
/// The interleaved type has a byte for each group, with one bit of the scale below.
/// \param step  bytes from a plain block's word to the next one
constexpr Part sign_part(unsigned plain_byte, unsigned step) noexcept {
  return {1,
          224,
          {8 * plain_byte, {{{7, 1}, {4, 7}, {kRest, 8 * step}}}},
          {8 * 8 + 1, {{{7, 1}, {4, 8}, {kRest, 128}}}},
          4};
}
constexpr Part scale_bit_part(unsigned plain_byte, unsigned step) noexcept {
  return {1,
          32,
          {8 * plain_byte + 28, {{{4, 1}, {kRest, 8 * step}}}},
          {8 * 8, {{{4, 8}, {kRest, 128}}}},
          4};
}
template <unsigned kByte, unsigned kStep>
void amend_sign_words(std::byte* plain) noexcept {
  for (unsigned b = 0; b < 8; ++b) {
    std::byte* const at = plain + kByte + b * kStep;
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    word = signs_from_sums(word, 0x7e * 0x204081u);
    std::memcpy(at, &word, sizeof word);
  }
}

struct InterleavedIq2Xxs {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq2_xxs;
  static constexpr std::array kParts = {
      half_part(0, 0), sign_part(6, 8), scale_bit_part(6, 8),
      Part{8, 32, {8 * 2, {{{4, 8}, {kRest, 64}}}}, bytes_by_four(136, kRows), 4}};
  static constexpr auto amend = amend_sign_words<6, 8>;
};

struct InterleavedIq2Xs {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq2_xs;
  static constexpr std::array kParts = {
      half_part(0, 0), Part{8, 64, packed(2, 8), {8 * 8, {{{8, 8}, {kRest, 256}}}}, 8},
      Part{8, 8, packed(66, 8), packed(264, 8, 1, 4), 1}};
  static void amend(std::byte* plain) noexcept {
    for (std::byte* at = plain + 2; at < plain + 66; at += 2) {
      std::uint16_t code;
      std::memcpy(&code, at, sizeof code);
      code = static_cast<std::uint16_t>(signs_from_sums(code, 0xfc00));
      std::memcpy(at, &code, sizeof code);
    }
  }
};

struct InterleavedIq2S {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq2_s;
  static constexpr std::array kParts = {half_part(0, 0),
                                        Part{8, 32, packed(2, 8), bytes_by_four(8, kRows), 4},
                                        Part{8, 32, packed(34, 8), bytes_by_four(168, kRows), 4},
                                        Part{8, 8, packed(66, 8), packed(136, 8, 1, 4), 1},
                                        Part{8, 8, packed(74, 8), packed(296, 8, 1, 4), 1}};
};

struct InterleavedIq3Xxs {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq3_xxs;
  static constexpr std::array kParts = {
      half_part(0, 0), sign_part(66, 4), scale_bit_part(66, 4),
      Part{8, 64, packed(2, 8), {8 * 136, {{{8, 8}, {kRest, 256}}}}, 8}};
  static constexpr auto amend = amend_sign_words<66, 4>;
};

struct InterleavedIq3S {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq3_s;
  static constexpr std::array kParts = {
      half_part(0, 0), Part{8, 64, packed(2, 8), {8 * 8, {{{4, 64}, {2, 32}, {kRest, 256}}}}, 1},
      Part{8, 8, packed(66, 8), packed(264, 8, 1, 4), 1},
      Part{1, 256, packed(74, 1), fours(296, 16, 1, 2, 4), 4},
      Part{4, 8, packed(106, 4), packed(424, 4, 4, 4), 1}};
};

Codec codec_iq2_xxs_r4() noexcept {
  return interleaved_codec<InterleavedIq2Xxs>(TensorType::iq2_xxs_r4);
}
Codec codec_iq2_xs_r4() noexcept {
  return interleaved_codec<InterleavedIq2Xs>(TensorType::iq2_xs_r4);
}
Codec codec_iq2_s_r4() noexcept {
  return interleaved_codec<InterleavedIq2S>(TensorType::iq2_s_r4);
}
Codec codec_iq3_xxs_r4() noexcept {
  return interleaved_codec<InterleavedIq3Xxs>(TensorType::iq3_xxs_r4);
}
Codec codec_iq3_s_r4() noexcept {
  return interleaved_codec<InterleavedIq3S>(TensorType::iq3_s_r4);
}

}  // namespace sluice::inline SLUICE_ISA
