#include "codec/packing/two_bit_planes.h"
#include "codec/q2_k/block.h"
#include "codec/q2_k/q2_k.h"
#include "codec/scale_search/affine_super_block.h"

namespace sluice::inline SLUICE_ISA {
namespace {

constexpr AffineSuperBlockType kType = {
    .high = 3, .largest = 15, .effort = {-0.2f, 0.1f, 7, 1}, .rounds = 2, .reach = 1};

}  // namespace

void encode_q2_k(const EncodeRows& rows, std::byte* out) noexcept {
  encode_affine_super_blocks<FloatLanes, 16, BlockQ2_K>(
      rows, out, kType, [](const AffineSuperBlock<16>& found, BlockQ2_K& block) noexcept {
        for (int s = 0; s < 16; ++s) {
          block.scales[s] = static_cast<std::uint8_t>(found.scales[s] | found.mins[s] << 4);
        }
        pack_two_bits(found.codes, block.codes);
        block.d = found.d;
        block.dmin = found.dmin;
      });
}

}  // namespace sluice::inline SLUICE_ISA
