#include "codec/iq2_xs/block.h"
#include "codec/iq2_xs/iq2_xs.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq2Xs {
  using Format = MagnitudeFormat<packed_grids::kIq2xsGrid, kIq2Magnitudes, 8, true, 16>;
  using Block = BlockIq2Xs;
  static constexpr float kUnit = 0.125f;
  static constexpr MagnitudeEffort<4, 1> kBest = {{0.65f, 0.78f, 0.92f, 1.12f}};
  static constexpr MagnitudeEffort<2, 1> kFast = {{0.72f, 0.95f}};
};

}  // namespace

void encode_iq2_xs(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<Iq2Xs>(rows, out);
}

}  // namespace sluice::inline SLUICE_ISA
