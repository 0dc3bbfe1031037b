#include <cstring>

#include "codec/packing/two_bit_planes.h"
#include "codec/q6_k/block.h"
#include "codec/q6_k/q6_k.h"
#include "codec/scale_search/symmetric_super_block.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr SymmetricSuperBlockType kType = {.low = -32,
                                           .high = 31,
                                           .lowest = -128,
                                           .effort = {-8.0f, 1.0f, 12, 1},
                                           .rounds = 1,
                                           .reach = 2};

}  // namespace

void encode_q6_k(const EncodeRows& rows, std::byte* out) noexcept {
  for_each_super_block_tile<FloatLanes, 16>(
      rows, [&](const SuperBlockTile<16>& tile, std::size_t index, int) {
        const SymmetricSuperBlock<16> found = encode_symmetric_super_block<FloatLanes>(tile, kType);
        std::uint8_t high[256];
        BlockQ6_K block;
        for (int half = 0; half < 2; ++half) {
          for (int l = 0; l < 64; ++l) {
            const int i = 128 * half + l;
            const int first = found.codes[i] + 32;
            const int second = found.codes[i + 64] + 32;
            block.low[64 * half + l] = static_cast<std::uint8_t>((first & 15) | (second & 15) << 4);
            high[i] = static_cast<std::uint8_t>(first >> 4);
            high[i + 64] = static_cast<std::uint8_t>(second >> 4);
          }
        }
        pack_two_bits(high, block.high);
        std::memcpy(block.scales, found.scales, sizeof block.scales);
        block.d = found.d;
        std::memcpy(out + index * sizeof block, &block, sizeof block);
      });
}

}  // namespace sluice::inline SLUICE_ISA
