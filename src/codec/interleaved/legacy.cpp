// Blocks of 32 weights with one scale, interleaved.

#include "codec/interleaved/layout.h"

namespace sluice::inline SLUICE_ISA {

struct InterleavedQ4_0 {
  static constexpr unsigned kRows = 8;
  static constexpr std::size_t kWeights = 32;
  static constexpr auto kPlain = codec_q4_0;
  static constexpr std::array kParts = {half_part(0, 0),
                                        Part{8, 16, packed(2, 8), bytes_by_four(16, kRows), 4}};
};

struct InterleavedQ5_0 {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 32;
  static constexpr auto kPlain = codec_q5_0;
  static constexpr std::array kParts = {half_part(0, 0),
                                        Part{1, 32, packed(2, 1), fours(8, 16, 2, 4, 1), 4},
                                        Part{4, 32, packed(6, 4, 16), nibbles_of_four_rows(24), 4}};
};

struct InterleavedQ6_0 {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 32;
  static constexpr auto kPlain = codec_q6_0;
  static constexpr Places kPlainHigh = {8 * 2, {{{8, 8}, {2, 4}, {2, 2}}}};
  static constexpr std::array kParts = {
      half_part(0, 0), Part{2, 32, kPlainHigh, fours(8, 32, 2, 4, 128), 4},
      Part{4, 32, packed(10, 4, 16), nibbles_of_four_rows(40), 4}};
};

struct InterleavedQ8_0 {
  static constexpr unsigned kRows = 8;
  static constexpr std::size_t kWeights = 32;
  static constexpr auto kPlain = codec_q8_0;
  static constexpr std::array kParts = {half_part(0, 0),
                                        Part{8, 32, packed(2, 8), bytes_by_four(16, kRows), 4}};
};

struct InterleavedIq4Nl {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 32;
  static constexpr auto kPlain = codec_iq4_nl;
  static constexpr std::array kParts = {half_part(0, 0),
                                        Part{4, 32, packed(2, 4, 16), nibbles_of_four_rows(8), 4}};
};

struct InterleavedMxfp4 {
  static constexpr unsigned kRows = 8;
  static constexpr std::size_t kWeights = 32;
  static constexpr auto kPlain = codec_mxfp4;
  static constexpr std::array kParts = {Part{8, 1, packed(0, 8), packed(0, 8), 1, true},
                                        Part{8, 16, packed(1, 8), bytes_by_four(8, kRows), 4}};
};

Codec codec_q4_0_r8() noexcept {
  return interleaved_codec<InterleavedQ4_0>(TensorType::q4_0_r8);
}
Codec codec_q5_0_r4() noexcept {
  return interleaved_codec<InterleavedQ5_0>(TensorType::q5_0_r4);
}
Codec codec_q6_0_r4() noexcept {
  return interleaved_codec<InterleavedQ6_0>(TensorType::q6_0_r4);
}
Codec codec_q8_0_r8() noexcept {
  return interleaved_codec<InterleavedQ8_0>(TensorType::q8_0_r8);
}
Codec codec_iq4_nl_r4() noexcept {
  return interleaved_codec<InterleavedIq4Nl>(TensorType::iq4_nl_r4);
}
Codec codec_mxfp4_r8() noexcept {
  return interleaved_codec<InterleavedMxfp4>(TensorType::mxfp4_r8);
}

}  // namespace sluice::inline SLUICE_ISA
