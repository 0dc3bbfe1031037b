#include "codec/trellis/iq4_kt.h"

#include "codec/preparation.h"
#include "codec/trellis/near_encoder.h"
#include "codec/trellis/near_lists.h"
#include "codec/trellis/near_regions.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq4Kt {
  using Block = BlockIq4Kt;
  static constexpr const TrellisCodebook& kBook = kIq4KtBook;
  static constexpr bool kNegative = true;
  static constexpr float kTopMultiple = 57;
  static constexpr float kLikelyScale = 0.887f / 37;

  static constexpr TrellisMeans kMeans = {.square = 300, .importance = 0.02f};
  using ListSearch = NearListSearch<Iq4KtLists>;
  using Effort = NearEffort<ListSearch, NearRegionSearch<Iq4KtRegions>>;
  static constexpr Effort kBest = {7, {}, 16};
  static constexpr Effort kFast = {5, {}, 16};
  static constexpr NearEffort<ListSearch, NearTreeSearch<Iq4KtTree>> kOneSided = {7, {}, {7, 6}};
  static constexpr float kNearlyAll = 0.02f;
};

}  // namespace

void BlockIq4Kt::encode(const EncodeRows& rows, std::byte* out) noexcept {
  encode_near<Iq4Kt>(rows, out);
}

Preparation preparation_iq4_kt() noexcept {
  return {TensorType::iq4_kt, sizeof(Iq4KtTree) + sizeof(Iq4KtLists) + sizeof(Iq4KtRegions),
          // What takes the most room comes last, so that nothing stays behind it.
          []() noexcept { return Iq4KtLists::prepare() && Iq4KtRegions::prepare(); }};
}

Codec codec_iq4_kt() noexcept {
  return block_codec<BlockIq4Kt>(TensorType::iq4_kt);
}

}  // namespace sluice::inline SLUICE_ISA
