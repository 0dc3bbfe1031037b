#include "codec/trellis/iq2_kt.h"

#include "codec/preparation.h"
#include "codec/trellis/encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq2Kt {
  using Block = BlockIq2Kt;
  static constexpr const TrellisCodebook& kBook = kIq2KtBook;
  static constexpr float kLikelyScale = 0.8f / 37;

  static constexpr std::size_t kDepth = 3;
  static constexpr TrellisEffort kBest = {
      .branches = 1.4f, .first_cells = 0.75f, .last_cells = 1, .scales = 2};
  static constexpr TrellisEffort kFast = {
      .branches = 1.4f, .first_cells = 0.8f, .last_cells = 1, .scales = 1};
};

}  // namespace

void BlockIq2Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_trellis<Iq2Kt>(rows, out);
}

Preparation preparation_iq2_kt() noexcept {
  using Tree = TrellisTree<kIq2KtBook>;
  return {TensorType::iq2_kt, sizeof(Tree), Tree::prepare};
}

Codec codec_iq2_kt() noexcept {
  return block_codec<BlockIq2Kt>(TensorType::iq2_kt);
}

}  // namespace sluice::inline SLUICE_ISA
