#include "codec/iq3_s/block.h"
#include "codec/iq3_s/iq3_s.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq3S {
  using Format = MagnitudeFormat<packed_grids::kIq3sGrid, kIq3sMagnitudes, 4, false, 32>;
  using Block = BlockIq3S;
  static constexpr float kUnit = 1.0f;
  static constexpr MagnitudeEffort<4, 1> kBest = {{0.85f, 0.97f, 1.1f, 1.3f}};
  static constexpr MagnitudeEffort<3, 1> kFast = {{0.86f, 1.0f, 1.2f}};
};

}  // namespace

void encode_iq3_s(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<Iq3S>(rows, out);
}

}  // namespace sluice::inline SLUICE_ISA
