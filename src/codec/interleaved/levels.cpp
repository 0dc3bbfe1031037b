// Types with tables of levels, interleaved.

#include "codec/interleaved/layout.h"

namespace sluice::inline SLUICE_ISA {

struct InterleavedIq4Xs {
  static constexpr unsigned kRows = 8;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq4_xs;
  static constexpr std::array kParts = {
      half_part(0, 0), Part{2, 8, packed(2, 2), packed(16, 2, 2, 8), 1},
      Part{4, 8, packed(4, 4), packed(32, 4, 4, 8), 1},
      Part{4, 256, packed(8, 4, 16), fours(64, 128, 4, 256, 512), 4}};
};

/// Which of 16 sub-blocks have the shifted levels, as types with a scale for each block have it.
inline constexpr Part kShiftedPart = {1, 16, packed(2, 1), packed(8, 1, 2, 4), 1};

struct InterleavedIq2K {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq2_k;
  static constexpr std::array kParts = {half_part(0, 0), kShiftedPart,
                                        Part{4, 16, packed(4, 4), packed(16, 4, 8, 4), 1},
                                        Part{2, 256, packed(12, 2, 32), pairs_of_four_rows(48), 4}};
};

struct InterleavedIq3K {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq3_k;
  static constexpr std::array kParts = {
      half_part(0, 0),
      kShiftedPart,
      Part{1, 16, packed(4, 1), packed(16, 1, 2, 4), 1},
      Part{4, 16, packed(6, 4), packed(24, 4, 8, 4), 1},
      Part{2, 256, packed(14, 2, 32), pairs_of_four_rows(56), 4},
      Part{1, 256, packed(78, 1, 32), fours(312, 16, 1, 2, 4), 4}};
};

/// Scales of six bits, the same in IQ4_K and IQ5_K.
inline constexpr Part kScaleHighPart = {2, 16, packed(4, 2), packed(16, 2, 4, 4), 1};
inline constexpr Part kScaleLowPart = {4, 16, packed(8, 4), packed(32, 4, 8, 4), 1};

struct InterleavedIq4K {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq4_k;
  static constexpr std::array kParts = {
      half_part(0, 0), kShiftedPart, kScaleHighPart, kScaleLowPart,
      Part{4, 256, packed(16, 4, 16), nibbles_of_four_rows(64), 4}};
};

struct InterleavedIq5K {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr auto kPlain = codec_iq5_k;
  static constexpr std::array kParts = {
      half_part(0, 0),
      kShiftedPart,
      kScaleHighPart,
      kScaleLowPart,
      Part{4, 256, packed(16, 4, 32), nibbles_of_four_rows(64), 4},
      Part{1, 256, packed(144, 1, 32), fours(576, 16, 4, 1, 2), 4}};
};

/// Scale and shift of 8 sub-blocks, a byte each.
inline constexpr Part kScaleBytePart = {8, 8, packed(0, 8), packed(0, 8, 1, 4), 1};

struct InterleavedIq4Ks {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kScaleBytes = 4;
  static constexpr auto kPlain = codec_iq4_ks;
  static constexpr std::array kParts = {
      kScaleBytePart, Part{4, 256, packed(8, 4, 16), nibbles_of_four_rows(32), 4}};
};

struct InterleavedIq5Ks {
  static constexpr unsigned kRows = 4;
  static constexpr std::size_t kWeights = 256;
  static constexpr std::size_t kScaleBytes = 4;
  static constexpr auto kPlain = codec_iq5_ks;
  static constexpr std::array kParts = {
      kScaleBytePart, Part{4, 256, packed(8, 4, 32), nibbles_of_four_rows(32), 4},
      Part{1, 256, packed(136, 1, 32), fours(544, 16, 4, 1, 2), 4}};
};

Codec codec_iq4_xs_r8() noexcept {
  return interleaved_codec<InterleavedIq4Xs>(TensorType::iq4_xs_r8);
}
Codec codec_iq2_k_r4() noexcept {
  return interleaved_codec<InterleavedIq2K>(TensorType::iq2_k_r4);
}
Codec codec_iq3_k_r4() noexcept {
  return interleaved_codec<InterleavedIq3K>(TensorType::iq3_k_r4);
}
Codec codec_iq4_k_r4() noexcept {
  return interleaved_codec<InterleavedIq4K>(TensorType::iq4_k_r4);
}
Codec codec_iq5_k_r4() noexcept {
  return interleaved_codec<InterleavedIq5K>(TensorType::iq5_k_r4);
}
Codec codec_iq4_ks_r4() noexcept {
  return interleaved_codec<InterleavedIq4Ks>(TensorType::iq4_ks_r4);
}
Codec codec_iq5_ks_r4() noexcept {
  return interleaved_codec<InterleavedIq5Ks>(TensorType::iq5_ks_r4);
}

}  // namespace sluice::inline SLUICE_ISA
