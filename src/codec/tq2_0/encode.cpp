#include "codec/lattice/ternary_search.h"
#include "codec/packing.h"
#include "codec/tq2_0/tq2_0.h"

namespace sluice::inline SLUICE_ISA {

void encode_tq2_0(const EncodeRows& rows, std::byte* out) noexcept {
  encode_ternary_blocks<BlockTQ2_0>(rows, out,
                                    [](const std::uint8_t* codes, BlockTQ2_0& block) noexcept {
                                      pack_two_bits(codes, block.codes);
                                    });
}

}  // namespace sluice::inline SLUICE_ISA
