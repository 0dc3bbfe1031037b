#include <array>
#include <cstdint>

#include "codec/iq1_m/ternary_encoder.h"
#include "codec/iq1_s/block.h"
#include "codec/iq1_s/iq1_s.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct Iq1S {
  using Block = BlockIq1S;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr bool kSharedShift = true;

  /// See Iq1M: the scales searched first, and how many vectors a search looks at.
  struct Best {
    static constexpr std::array<float, 4> kFirstScales = {0.85f, 1.0f, 1.2f, 1.45f};
    static constexpr std::size_t kSets = iq1_m::kAllSets;
    static constexpr int kRefits = 2;
  };
  struct Fast {
    static constexpr std::array<float, 3> kFirstScales = {0.9f, 1.1f, 1.35f};
    static constexpr std::size_t kSets = iq1_m::kAllSets;
    static constexpr int kRefits = 1;
  };

  static Block block(const iq1_m::Solution& solution, std::uint16_t d) noexcept {
    std::uint16_t codes[iq1_m::kLanes];
    float multiples[iq1_m::kFloats];
    store(solution.code, codes);
    store(solution.multiple, multiples);
    Block out{};
    out.d = d;
    for (std::size_t b = 0; b < 8; ++b) {
      unsigned word = static_cast<unsigned>(static_cast<int>(multiples[2 * b])) / 2 << 12;
      for (std::size_t k = 0; k < 4; ++k) {
        const unsigned entry = iq1_m::entry_of(codes[iq1_m::lane_of_group(4 * b + k)]);
        out.low[4 * b + k] = static_cast<std::uint8_t>(entry);
        word |= (entry >> 8 & 7) << 3 * k | entry >> 11 << 15;  // the shift is the same in all four
      }
      out.high[b] = static_cast<std::uint16_t>(word);
    }
    return out;
  }
};

}  // namespace

void encode_iq1_s(const EncodeRows& rows, std::byte* out) noexcept {
  iq1_m::encode<Iq1S>(rows, out);
}

}  // namespace sluice::inline SLUICE_ISA
