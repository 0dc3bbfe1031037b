#include "codec/packing/six_bit_pairs.h"
#include "codec/q5_k/block.h"
#include "codec/q5_k/q5_k.h"
#include "codec/scale_search/affine_super_block.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr AffineSuperBlockType kType = {
    .high = 31, .largest = 63, .effort = {-0.12f, 0.02f, 10, 1}, .rounds = 1, .reach = 2};

}  // namespace

void encode_q5_k(const EncodeRows& rows, std::byte* out) noexcept {
  encode_affine_super_blocks<FloatLanes, 32, BlockQ5_K>(
      rows, out, kType, [](const AffineSuperBlock<32>& found, BlockQ5_K& block) noexcept {
        block.d = found.d;
        block.dmin = found.dmin;
        pack_six_bit_pairs(found.scales, found.mins, block.scales);
        for (int l = 0; l < 32; ++l) {
          unsigned high = 0;
          for (int s = 0; s < 8; ++s) high |= (found.codes[32 * s + l] >> 4 & 1u) << s;
          block.high[l] = static_cast<std::uint8_t>(high);
        }
        for (int g = 0; g < 4; ++g) {
          for (int l = 0; l < 32; ++l) {
            const std::uint8_t* codes = found.codes + 64 * g + l;
            block.low[32 * g + l] =
                static_cast<std::uint8_t>((codes[0] & 15) | (codes[32] & 15) << 4);
          }
        }
      });
}

}  // namespace sluice::inline SLUICE_ISA
