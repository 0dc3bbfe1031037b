#include "codec/block_codec.h"
#include "codec/half.h"

namespace sluice::inline SLUICE_ISA {

/// IEEE binary16. Every value is exact in binary32.
struct BlockF16 {
  std::uint16_t bits;

  static constexpr std::size_t kWeights = 1;

  bool finite() const noexcept { return finite_half(bits); }
  void decode(float* out) const noexcept { *out = f16_to_f32(bits); }

  /// Rounds to nearest, ties to even. Values beyond +-65504, the largest that binary16 holds,
  /// become +-65504: an infinity would spoil every product it enters.
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    encode_values(rows, out, [](float value) noexcept { return to_half(value); });
  }
};

Codec codec_f16() noexcept {
  return block_codec<BlockF16>(TensorType::f16);
}

}  // namespace sluice::inline SLUICE_ISA
