#include "codec/trellis/iq2_kt.h"

#include "codec/trellis/encoder.h"
#include "codec/trellis/level_scales.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq2Kt {
  using Block = BlockIq2Kt;
  static constexpr const TrellisCodebook& kBook = kIq2KtBook;
  static constexpr std::size_t kSigns = 2;
  static constexpr std::size_t kTriedScales = 3;
  static constexpr float kLikelyScale = 0.8f / 37;
  static constexpr float kRuntimeFactor = 1.05f;
  static constexpr const TrellisScales (&kScales)[2] = kIq4LevelScales;
  static constexpr const TrellisScales& kAllScales = kIq4LevelMagnitudes;

  static constexpr TrellisEffort kBest = {.branches = 2, .first_cells = 0.7f, .last_cells = 1.2f};
  static constexpr TrellisEffort kFast = {
      .branches = 1.7f, .first_cells = 0.6f, .last_cells = 1.1f};
};

}  // namespace

void BlockIq2Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_trellis<Iq2Kt>(rows, out);
}

Codec codec_iq2_kt() noexcept {
  return block_codec<BlockIq2Kt>(TensorType::iq2_kt);
}

}  // namespace sluice::inline SLUICE_ISA
