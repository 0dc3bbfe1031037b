#include <bit>
#include <cstdint>

#include "codec/block_codec.h"

namespace sluice::inline SLUICE_ISA {

/// IEEE binary32, copied.
struct BlockF32 {
  std::uint32_t bits;

  static constexpr std::size_t kWeights = 1;

  bool finite() const noexcept { return (bits & 0x7f800000u) != 0x7f800000u; }

  // Copies, of nothing too: then there may be no memory to name, which memcpy alone does not allow.
  static void copy(void* to, const void* from, std::size_t bytes) noexcept {
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  static void decode_all(const std::byte* blocks, float* out, std::size_t elements) noexcept {
    copy(out, blocks, elements * sizeof(float));
  }
  static void encode(const EncodeRows& rows, std::byte* out) noexcept {
    copy(out, rows.values, rows.rows * rows.row_elements * sizeof(float));
  }
};

Codec codec_f32() noexcept {
  return {TensorType::f32, BlockF32::decode_all, BlockF32::encode, all_finite<BlockF32>, 1};
}

}  // namespace sluice::inline SLUICE_ISA
