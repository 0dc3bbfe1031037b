#include "codec/trellis/iq2_kt.h"

#include "codec/preparation.h"
#include "codec/trellis/encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq2Kt {
  using Block = BlockIq2Kt;
  static constexpr const TrellisCodebook& kBook = kIq2KtBook;
  static constexpr float kLikelyScale = 0.8f / 37;

  static constexpr TrellisEffort kBest = {.first_cells = 20, .last_cells = 44, .scales = 2};
  static constexpr TrellisEffort kFast = {.first_cells = 20, .last_cells = 28, .scales = 1};
};

}  // namespace

void BlockIq2Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_trellis<Iq2Kt>(rows, out);
}

Preparation preparation_iq2_kt() noexcept {
  using Cells = TrellisCells<kIq2KtBook>;
  return {TensorType::iq2_kt, sizeof(Cells), Cells::prepare};
}

Codec codec_iq2_kt() noexcept {
  return block_codec<BlockIq2Kt>(TensorType::iq2_kt);
}

}  // namespace sluice::inline SLUICE_ISA
