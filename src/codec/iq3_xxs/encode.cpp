#include "codec/iq3_xxs/block.h"
#include "codec/iq3_xxs/iq3_xxs.h"
#include "codec/i_quants/codebooks.h"
#include "codec/lattice/magnitude_encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq3Xxs {
  using Format = MagnitudeFormat<packed_grids::kIq3xxsGrid, kIq3xxsMagnitudes, 4, true, 32>;
  using Block = BlockIq3Xxs;
  static constexpr float kUnit = 0.25f;
  static constexpr MagnitudeEffort<5, 1> kBest = {{0.82f, 0.93f, 1.05f, 1.2f, 1.4f}};
  static constexpr MagnitudeEffort<3, 1> kFast = {{0.87f, 1.02f, 1.22f}};
};

}  // namespace

void encode_iq3_xxs(const EncodeRows& rows, std::byte* out) noexcept {
  encode_magnitudes<Iq3Xxs>(rows, out);
}

}  // namespace sluice::inline SLUICE_ISA
