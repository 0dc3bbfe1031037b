#include "codec/trellis/iq3_kt.h"

#include "codec/preparation.h"
#include "codec/trellis/near_encoder.h"
#include "codec/trellis/near_regions.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq3Kt {
  using Block = BlockIq3Kt;
  static constexpr const TrellisCodebook& kBook = kIq3KtBook;
  static constexpr bool kNegative = false;
  static constexpr float kTopMultiple = 14;
  static constexpr float kLikelyScale = 0.787f / 37;

  static constexpr TrellisMeans kMeans = {.square = 200, .importance = 0.02f};
  using Search = NearRegionSearch<Iq3KtRegions>;
  using Effort = NearEffort<Search, Search>;
  static constexpr Effort kBest = {5, 24, 48};
  static constexpr Effort kFast = {5, 24, 24};
  using TreeSearch = NearTreeSearch<Iq3KtTree>;
  static constexpr NearEffort<TreeSearch, TreeSearch> kOneSided = {5, {4, 4}, {6, 6}};
  static constexpr float kNearlyAll = 0.15f;
};

}  // namespace

void BlockIq3Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_near<Iq3Kt>(rows, out);
}

Preparation preparation_iq3_kt() noexcept {
  return {TensorType::iq3_kt, sizeof(Iq3KtTree) + sizeof(Iq3KtRegions), Iq3KtRegions::prepare};
}

Codec codec_iq3_kt() noexcept {
  return block_codec<BlockIq3Kt>(TensorType::iq3_kt);
}

}  // namespace sluice::inline SLUICE_ISA
