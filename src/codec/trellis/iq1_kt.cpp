#include "codec/trellis/iq1_kt.h"

#include "codec/preparation.h"
#include "codec/trellis/encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq1Kt {
  using Block = BlockIq1Kt;
  static constexpr const TrellisCodebook& kBook = kIq1KtBook;
  static constexpr float kLikelyScale = 0.8f / 37;

  static constexpr std::size_t kDepth = 4;
  static constexpr TrellisEffort kBest = {
      .branches = 0, .first_cells = 1.8f, .last_cells = 2.6f, .scales = 3};
  static constexpr TrellisEffort kFast = {
      .branches = 0, .first_cells = 1.4f, .last_cells = 2.2f, .scales = 1};
};

}  // namespace

void BlockIq1Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_trellis<Iq1Kt>(rows, out);
}

Preparation preparation_iq1_kt() noexcept {
  using Tree = TrellisTree<kIq1KtBook>;
  return {TensorType::iq1_kt, sizeof(Tree), Tree::prepare};
}

Codec codec_iq1_kt() noexcept {
  return block_codec<BlockIq1Kt>(TensorType::iq1_kt);
}

}  // namespace sluice::inline SLUICE_ISA
