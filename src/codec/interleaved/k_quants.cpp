// K-quants, interleaved.

#include "codec/interleaved/layout.h"

namespace sluice::inline SLUICE_ISA {

struct InterleavedQ2K {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_q2_k;
  static constexpr std::array kParts = {half_part(80, 0), half_part(82, 8),
                                        Part{8, 16, packed(0, 8), packed(16, 8, 1, 4), 1},
                                        Part{2, 256, packed(16, 2, 32), pairs_of_four_rows(80), 4}};
};

struct InterleavedQ3K {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_q3_k;
  static constexpr std::array kParts = {
      half_part(108, 0), Part{4, 16, packed(96, 4, 8), packed(24, 4, 8, 4), 1},
      Part{2, 16, packed(104, 2, 4), packed(8, 2, 4, 4), 1},
      Part{1, 256, packed(0, 1, 32), fours(56, 16, 1, 2, 4), 4},
      Part{2, 256, packed(32, 2, 32), pairs_of_four_rows(184), 4}};
};

/// Scales and minimums of six bits, in the twelve bytes of Q4_K and Q5_K (k_quants/scales_and_mins.h).
struct InterleavedMins {
  static constexpr Part kScaleLow = {4, 8, {8 * 4, {{{4, 8}, {2, 64}}}}, packed(32, 8, 1, 4), 1};
  static constexpr Part kScaleHigh = {
      2, 8, {8 * 4 + 4, {{{4, 8}, {2, 2}}}}, packed(16, 4, 4, 4), 1};
  static constexpr Part kMinLow = {4, 8, {8 * 8, {{{4, 8}, {2, 36}}}}, packed(32, 8, 1, 4) + 4, 1};
  static constexpr Part kMinHigh = {
      2, 8, {8 * 8 + 4, {{{4, 8}, {2, 2}}}}, packed(16, 4, 4, 4) + 2, 1};
};

struct InterleavedQ4K : InterleavedMins {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_q4_k;
  static constexpr std::array kParts = {
      half_part(0, 0),
      half_part(2, 8),
      kScaleLow,
      kScaleHigh,
      kMinLow,
      kMinHigh,
      Part{4, 256, packed(16, 4, 32), nibbles_of_four_rows(64), 4}};
};

struct InterleavedQ5K : InterleavedMins {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_q5_k;
  static constexpr std::array kParts = {
      half_part(0, 0),
      half_part(2, 8),
      kScaleLow,
      kScaleHigh,
      kMinLow,
      kMinHigh,
      Part{1, 256, packed(16, 1, 32), fours(64, 16, 2, 1, 4), 4},
      Part{4, 256, packed(48, 4, 32), nibbles_of_four_rows(192), 4}};
};

struct InterleavedQ6K {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_q6_k;
  static constexpr std::array kParts = {
      half_part(208, 0), Part{8, 16, packed(192, 8), packed(8, 8, 1, 4), 1},
      Part{2, 256, packed(128, 2, 32), fours(72, 32, 4, 2, 128), 4},
      Part{4, 256, packed(0, 4, 64), nibbles_of_four_rows(328), 4}};
};

Codec codec_q2_k_r4() noexcept {
  return interleaved_codec<InterleavedQ2K>(TensorType::q2_k_r4);
}
Codec codec_q3_k_r4() noexcept {
  return interleaved_codec<InterleavedQ3K>(TensorType::q3_k_r4);
}
Codec codec_q4_k_r4() noexcept {
  return interleaved_codec<InterleavedQ4K>(TensorType::q4_k_r4);
}
Codec codec_q5_k_r4() noexcept {
  return interleaved_codec<InterleavedQ5K>(TensorType::q5_k_r4);
}
Codec codec_q6_k_r4() noexcept {
  return interleaved_codec<InterleavedQ6K>(TensorType::q6_k_r4);
}

}  // namespace sluice::inline SLUICE_ISA
