#include "codec/packing/six_bit_pairs.h"
#include "codec/q4_k/block.h"
#include "codec/q4_k/q4_k.h"
#include "codec/scale_search/affine_super_block.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr AffineSuperBlockType kType = {
    .high = 15, .largest = 63, .effort = {-0.1f, 0.04f, 8, 1}, .rounds = 1, .reach = 1};

}  // namespace

void encode_q4_k(const EncodeRows& rows, std::byte* out) noexcept {
  encode_affine_super_blocks<FloatLanes, 32, BlockQ4_K>(
      rows, out, kType, [](const AffineSuperBlock<32>& found, BlockQ4_K& block) noexcept {
        block.d = found.d;
        block.dmin = found.dmin;
        pack_six_bit_pairs(found.scales, found.mins, block.scales);
        for (int g = 0; g < 4; ++g) {
          for (int l = 0; l < 32; ++l) {
            const std::uint8_t* codes = found.codes + 64 * g + l;
            block.codes[32 * g + l] = static_cast<std::uint8_t>(codes[0] | codes[32] << 4);
          }
        }
      });
}

}  // namespace sluice::inline SLUICE_ISA
