#include "codec/i_quants/iq4_kss.h"

#include "codec/feedback/levels.h"
#include "codec/feedback/row_block.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// A group is a word's four columns. Each has a nearest level among those of either parity; where the
/// nearest ones are of odd parity together, one of the four is changed, and the group is offered with
/// either.
struct FeedbackIq4Kss
    : ldlq::LevelBlocks<ldlq::RowBlock<BlockIq4Kss>, TensorType::iq4_kss, 3, 8, 2> {
  static constexpr std::size_t kGroup = 4;
  static constexpr std::size_t kAlternatives = 4;
  static constexpr std::array<std::uint8_t, 32> kOrder = [] {
    std::array<std::uint8_t, 32> order{};
    for (std::size_t i = 0; i < 32; ++i) {
      order[i] = static_cast<std::uint8_t>(i / 4 * 2 + i % 4 / 2 + i % 2 * 16);
    }
    return order;
  }();

  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_word(g, code);
  }

  struct Group {
    explicit Group(const float (&)[kGroup]) noexcept {}

    void nearest(const Scale (&scale)[kTogether], const ldlq::Floats (&target)[kTogether][kGroup],
                 ldlq::Option<kGroup> (&options)[kAlternatives][kTogether]) const noexcept {
      for (std::size_t k = 0; k < kTogether; ++k) {
        ParityLevels::Nearest nearest[kGroup];
        ldlq::Floats parity = 1;
        for (std::size_t j = 0; j < kGroup; ++j) {
          nearest[j] = ParityLevels::nearest_of(target[k][j] * scale[k].inverse - scale[k].shift);
          parity *= nearest[j].parity;
        }
        for (std::size_t a = 0; a < kAlternatives; ++a) {
          ldlq::Option<kGroup>& option = options[a][k];
          option.code = 0;
          for (std::size_t j = kGroup; j-- > 0;) {
            const ldlq::Floats level =
                j == a ? select(parity < 0, nearest[j].other, nearest[j].level) : nearest[j].level;
            option.code = simd::shift_left<4>(option.code) | ParityLevels::code_of(level);
            option.decoded[j] = scale[k].scale * (level + scale[k].shift);
          }
        }
      }
    }
  };
};

}  // namespace

FeedbackKernel feedback_iq4_kss() noexcept {
  return ldlq::kernel<FeedbackIq4Kss>();
}

}  // namespace sluice::inline SLUICE_ISA
