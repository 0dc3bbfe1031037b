#include "codec/trellis/iq3_kt.h"

#include "codec/preparation.h"
#include "codec/trellis/near_encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq3Kt {
  using Block = BlockIq3Kt;
  static constexpr const TrellisCodebook& kBook = kIq3KtBook;
  static constexpr bool kNegative = false;
  static constexpr float kTopMultiple = 14;
  static constexpr float kLikelyScale = 0.787f / 37;

  static constexpr TrellisMeans kMeans = {.square = 50, .importance = 0.02f};
  using Trials = NearTreeTrials<Iq3KtTree>;
  static constexpr NearEffort<Trials> kBest = {5, {4, 4}, {6, 6}};
  static constexpr NearEffort<Trials> kFast = {5, {3.5f, 3}, {6, 5}};
};

}  // namespace

void BlockIq3Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_near<Iq3Kt>(rows, out);
}

Preparation preparation_iq3_kt() noexcept {
  using Tree = Iq3KtTree;
  return {TensorType::iq3_kt, sizeof(Tree), Tree::prepare};
}

Codec codec_iq3_kt() noexcept {
  return block_codec<BlockIq3Kt>(TensorType::iq3_kt);
}

}  // namespace sluice::inline SLUICE_ISA
