#include "codec/iq2_s/block.h"
#include "codec/iq2_s/iq2_s.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq2S {
  using Format = MagnitudeFormat<packed_grids::kIq2sGrid, kIq2Magnitudes, 8, false, 16>;
  using Block = BlockIq2S;
  static constexpr float kUnit = 0.125f;
  static constexpr MagnitudeEffort<3, 1> kBest = {{0.66f, 0.83f, 1.05f}};
  static constexpr MagnitudeEffort<2, 1> kFast = {{0.7f, 0.95f}};
};

}  // namespace

void encode_iq2_s(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<Iq2S>(rows, out);
}

}  // namespace sluice::inline SLUICE_ISA
