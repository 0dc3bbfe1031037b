#include <bit>
#include <cstdint>

#include "codec/block_codec.h"

namespace sluice::inline SLUICE_ISA {

/// IEEE binary64, read only, rounded to binary32. Values beyond binary32 become infinities, which a
/// caller that refuses infinities will see.
struct BlockF64 {
  std::uint64_t bits;

  static constexpr std::size_t kWeights = 1;

  bool finite() const noexcept { return (bits >> 52 & 0x7ffu) != 0x7ffu; }
  void decode(float* out) const noexcept { *out = static_cast<float>(std::bit_cast<double>(bits)); }
};

Codec codec_f64() noexcept {
  return block_codec<BlockF64>(TensorType::f64);
}

}  // namespace sluice::inline SLUICE_ISA
