#include "codec/i_quants/iq2_kl.h"

#include "codec/feedback/levels.h"
#include "codec/feedback/row_block.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// A group is a pair of columns; a code is its two levels, plus 128.
struct FeedbackIq2Kl : ldlq::LevelBlocks<ldlq::RowBlock<BlockIq2Kl>, TensorType::iq2_kl, 3, 8> {
  static constexpr std::size_t kGroup = 2;

  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    const auto level = [](unsigned number) noexcept { return static_cast<float>(number) - 128; };
    block.set_pair(g, LevelPairs::code_of(level(code & 255), level(code >> 8)));
  }

  class Group {
   public:
    explicit Group(const float (&metric)[kGroup]) noexcept { std::copy_n(metric, kGroup, metric_); }

    void nearest(const Scale (&scale)[kTogether], const ldlq::Floats (&target)[kTogether][kGroup],
                 ldlq::Option<kGroup> (&options)[kAlternatives][kTogether]) const noexcept {
      for (std::size_t k = 0; k < kTogether; ++k) {
        ldlq::Floats first;
        ldlq::Floats second;
        for (std::size_t p = 0; p < ldlq::Floats::kParts; ++p) {
          const auto of = [&](std::size_t j) noexcept {
            const LevelPairs::Part w = metric_[j];
            return LevelPairs::Weighted{w, w * part_of(target[k][j], p)};
          };
          const LevelPairs::Found found =
              LevelPairs::nearest(of(0), of(1), part_of(scale[k].inverse, p));
          set_part(first, p, found.first);
          set_part(second, p, found.second);
        }
        options[0][k] = {(to_ints(first) + 128) | simd::shift_left<8>(to_ints(second) + 128),
                         {scale[k].scale * first, scale[k].scale * second}};
      }
    }

   private:
    float metric_[kGroup];
  };
};

}  // namespace

FeedbackKernel feedback_iq2_kl() noexcept {
  return ldlq::kernel<FeedbackIq2Kl>();
}

}  // namespace sluice::inline SLUICE_ISA
