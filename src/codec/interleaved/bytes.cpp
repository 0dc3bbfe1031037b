// Types that have bytes, or more, for each weight, interleaved.

#include "codec/half.h"
#include "codec/interleaved/layout.h"
#include "codec/legacy/q8_kv.h"

namespace sluice::inline SLUICE_ISA {

/// What Q8_K_R8 and Q8_K_R16 have of a row: Q8_K with a binary16.
struct BlockQ8KHalf {
  static constexpr std::size_t kWeights = 256;

  std::uint16_t d;
  std::int8_t codes[kWeights];

  bool finite() const noexcept { return finite_half(d); }
  void decode(float* out) const noexcept {
    const float scale = f16_to_f32(d);
    for (const std::int8_t code : codes) *out++ = scale * static_cast<float>(code);
  }
};

struct InterleavedQ8K {
  static constexpr unsigned kRows = 8;
  static constexpr std::size_t kWeights = 256;
  static Codec kPlain() noexcept { return block_codec<BlockQ8KHalf>(TensorType::q8_k_r8); }
  static constexpr std::array kParts = {half_part(0, 0),
                                        Part{8, 256, packed(2, 8), bytes_by_four(16, kRows), 4}};
};

/// Its codes have 128 added.
struct InterleavedQ8KBiased : InterleavedQ8K {
  static constexpr unsigned kRows = 16;
  static constexpr std::array kParts = {half_part(0, 0),
                                        Part{8, 256, packed(2, 8), bytes_by_four(32, kRows), 4}};
  static void amend(std::byte* plain) noexcept {
    for (std::size_t i = 0; i < kWeights; ++i) plain[2 + i] ^= std::byte{0x80};
  }
};

struct InterleavedQ8Kv {
  static constexpr unsigned kRows = 8;
  static constexpr std::size_t kWeights = 32;
  static constexpr std::size_t kScaleBytes = 4;
  static Codec kPlain() noexcept { return block_codec<BlockQ8Kv<float>>(TensorType::q8_kv_r8); }
  static constexpr std::array kParts = {Part{8, 32, packed(0, 8), bytes_by_four(0, kRows), 4}};
};

/// Two neighbours of a row, then two of each of the others.
struct InterleavedBf16 {
  static constexpr unsigned kRows = 16;
  static constexpr std::size_t kWeights = 2;
  static constexpr auto kPlain = codec_bf16;
  static constexpr std::array kParts = {Part{8, 4, packed(0, 8), packed(0, 8), 4, true}};
};

Codec codec_q8_k_r8() noexcept {
  return interleaved_codec<InterleavedQ8K>(TensorType::q8_k_r8);
}
Codec codec_q8_k_r16() noexcept {
  return interleaved_codec<InterleavedQ8KBiased>(TensorType::q8_k_r16);
}
Codec codec_q8_kv_r8() noexcept {
  return interleaved_codec<InterleavedQ8Kv>(TensorType::q8_kv_r8);
}
Codec codec_bf16_r16() noexcept {
  return interleaved_codec<InterleavedBf16>(TensorType::bf16_r16);
}

}  // namespace sluice::inline SLUICE_ISA
