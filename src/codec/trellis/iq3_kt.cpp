#include "codec/trellis/iq3_kt.h"

#include "codec/trellis/near_encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq3Kt {
  using Block = BlockIq3Kt;
  static constexpr const TrellisCodebook& kBook = kIq3KtBook;
  static constexpr bool kNegative = false;
  static constexpr float kTopMultiple = 14;
  static constexpr float kLikelyScale = 0.787f / 37;

  static constexpr NearEffort kBest = {7, {4.5f, 4}, {7, 6}};
  static constexpr NearEffort kFast = {5, {4, 3}, {6, 5}};
};

}  // namespace

void BlockIq3Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_near<Iq3Kt>(rows, out);
}

bool prepare_iq3_kt() noexcept {
  return Iq3KtTree::prepare();
}

Codec codec_iq3_kt() noexcept {
  return block_codec<BlockIq3Kt>(TensorType::iq3_kt);
}

}  // namespace sluice::inline SLUICE_ISA
