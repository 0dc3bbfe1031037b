#include "codec/lattice/ternary_search.h"
#include "codec/tq1_0/tq1_0.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// Packs `digits` digits of each of `count` bytes, digit n of byte m being codes[n * count + m].
/// Rounded up, so that what is cut off does not borrow from a digit.
template <int digits, int count>
void pack_digits(const std::uint8_t* codes, std::uint8_t* bytes) noexcept {
  for (int m = 0; m < count; ++m) {
    unsigned number = 0;
    for (int n = 0; n < 5; ++n) number = 3 * number + (n < digits ? codes[n * count + m] : 0);
    bytes[m] = static_cast<std::uint8_t>((256 * number + 242) / 243);
  }
}

}  // namespace

void encode_tq1_0(const EncodeRows& rows, std::byte* out) noexcept {
  encode_ternary_blocks<BlockTQ1_0>(rows, out,
                                    [](const std::uint8_t* codes, BlockTQ1_0& block) noexcept {
                                      pack_digits<5, 32>(codes, block.digits);
                                      pack_digits<5, 16>(codes + 160, block.digits + 32);
                                      pack_digits<4, 4>(codes + 240, block.last);
                                    });
}

}  // namespace sluice::inline SLUICE_ISA
