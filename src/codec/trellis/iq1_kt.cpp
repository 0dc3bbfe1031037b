#include "codec/trellis/iq1_kt.h"

#include "codec/trellis/encoder.h"
#include "codec/trellis/level_scales.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq1Kt {
  using Block = BlockIq1Kt;
  static constexpr const TrellisCodebook& kBook = kIq1KtBook;
  static constexpr std::size_t kSigns = 2;
  static constexpr std::size_t kTriedScales = 3;
  static constexpr float kLikelyScale = 0.8f / 37;
  static constexpr float kRuntimeFactor = 1;
  static constexpr const TrellisScales (&kScales)[2] = kIq4LevelScales;
  static constexpr const TrellisScales& kAllScales = kIq4LevelMagnitudes;

  static constexpr TrellisEffort kBest = {.branches = 6, .first_cells = 2, .last_cells = 3};
  static constexpr TrellisEffort kFast = {
      .branches = 4.5f, .first_cells = 1.4f, .last_cells = 2.2f};
};

}  // namespace

void BlockIq1Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_trellis<Iq1Kt>(rows, out);
}

Codec codec_iq1_kt() noexcept {
  return block_codec<BlockIq1Kt>(TensorType::iq1_kt);
}

}  // namespace sluice::inline SLUICE_ISA
