#include "codec/trellis/iq1_kt.h"

#include "codec/preparation.h"
#include "codec/trellis/encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq1Kt {
  using Block = BlockIq1Kt;
  static constexpr const TrellisCodebook& kBook = kIq1KtBook;
  static constexpr float kLikelyScale = 0.77f / 37;

  static constexpr TrellisEffort kBest = {.first_cells = 14, .last_cells = 32, .scales = 2};
  static constexpr TrellisEffort kFast = {.first_cells = 16, .last_cells = 20, .scales = 1};
};

}  // namespace

void BlockIq1Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_trellis<Iq1Kt>(rows, out);
}

Preparation preparation_iq1_kt() noexcept {
  using Cells = TrellisCells<kIq1KtBook>;
  return {TensorType::iq1_kt, sizeof(Cells), Cells::prepare};
}

Codec codec_iq1_kt() noexcept {
  return block_codec<BlockIq1Kt>(TensorType::iq1_kt);
}

}  // namespace sluice::inline SLUICE_ISA
