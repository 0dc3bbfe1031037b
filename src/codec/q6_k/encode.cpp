#include <cstring>

#include "codec/packing/two_bit_planes.h"
#include "codec/q6_k/block.h"
#include "codec/q6_k/q6_k.h"
#include "codec/scale_search/symmetric_super_block.h"

namespace sluice::inline SLUICE_ISA {
namespace {

// Inverse scales from 25 to 32 codes for the largest magnitude.
constexpr SymmetricSuperBlockType kType = {
    .low = -32, .high = 31, .lowest = -128, .effort = {-7.0f, 1.0f, 8, 0, 0}};

}  // namespace

void encode_q6_k(const EncodeRows& rows, std::byte* out) noexcept {
  for_each_super_block_tile<FloatLanes, 16>(
      rows, 5, [&](const SuperBlockTile<16>& tile, std::size_t index, int) noexcept {
        const SymmetricSuperBlock<16> found = encode_symmetric_super_block<FloatLanes>(tile, kType);
        std::uint8_t high[256];
        for (int i = 0; i < 256; ++i) high[i] = found.codes[i] >> 4;
        BlockQ6_K block;
        for (int half = 0; half < 2; ++half) {
          for (int l = 0; l < 64; ++l) {
            const std::uint8_t* codes = found.codes + 128 * half + l;
            block.low[64 * half + l] =
                static_cast<std::uint8_t>((codes[0] & 15) | (codes[64] & 15) << 4);
          }
        }
        pack_two_bits(high, block.high);
        std::memcpy(block.scales, found.scales, sizeof block.scales);
        block.d = found.d;
        std::memcpy(out + index * sizeof block, &block, sizeof block);
      });
}

}  // namespace sluice::inline SLUICE_ISA
