#include <array>
#include <cstdint>

#include "codec/iq1_m/block.h"
#include "codec/iq1_m/iq1_m.h"
#include "codec/iq1_m/ternary_encoder.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq1M {
  using Block = BlockIq1M;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr bool kSharedShift = false;

  /// What an effort pays for: the scales searched first, as multiples of the sub-block's
  /// sum w x^2 / sum w |x|, and how many vectors a search looks at. 98 % of best scales are between
  /// 0.80 and 1.65 times that, and each search serves its neighbourhood.
  struct Best {
    static constexpr std::array<float, 4> kFirstScales = {0.85f, 1.0f, 1.2f, 1.45f};
    static constexpr std::size_t kSets = iq1_m::kAllSets;
    static constexpr int kRefits = 2;
  };
  struct Fast {
    static constexpr std::array<float, 2> kFirstScales = {0.95f, 1.3f};
    static constexpr std::size_t kSets = iq1_m::kFewSets;
    static constexpr int kRefits = 1;
  };

  static Block block(const iq1_m::Solution& solution, std::uint16_t d) noexcept {
    constexpr std::size_t kSubBlocks = Block::kSubBlocks;
    std::uint16_t codes[iq1_m::kLanes];
    float multiples[kSubBlocks];
    store(solution.code, codes);
    store(solution.multiple, multiples);
    Block out;
    for (std::size_t b = 0; b < kSubBlocks; ++b) {
      const unsigned even = iq1_m::entry_of(codes[iq1_m::lane_of_group(2 * b)]);
      const unsigned odd = iq1_m::entry_of(codes[iq1_m::lane_of_group(2 * b + 1)]);
      out.index_low[2 * b] = static_cast<std::uint8_t>(even);
      out.index_low[2 * b + 1] = static_cast<std::uint8_t>(odd);
      out.index_high[b] = static_cast<std::uint8_t>(even >> 8 | odd >> 8 << 4);
    }
    for (std::size_t word = 0; word < kSubBlocks / 4; ++word) {
      unsigned bits = (d >> (4 * word) & 15u) << 12;
      for (std::size_t b = 0; b < 4; ++b) {
        bits |= static_cast<unsigned>(static_cast<int>(multiples[4 * word + b])) / 2 << (3 * b);
      }
      out.scales[word][0] = static_cast<std::uint8_t>(bits);
      out.scales[word][1] = static_cast<std::uint8_t>(bits >> 8);
    }
    return out;
  }
};

}  // namespace

void encode_iq1_m(const EncodeRows& rows, std::byte* out) noexcept {
  iq1_m::encode<Iq1M>(rows, out);
}

}  // namespace sluice::inline SLUICE_ISA
