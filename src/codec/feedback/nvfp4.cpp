#include "codec/floats/nvfp4.h"

#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// Scales of three bits of mantissa are too coarse to be multiplied by a factor that is near one: no
/// factor of the block can be set.
struct FeedbackNvfp4 {
  using Block = BlockNVFP4;
  static constexpr TensorType kType = TensorType::nvfp4;
  static constexpr std::size_t kSubBlock = Block::kSubBlock;
  static constexpr std::size_t kGroup = 1;
  static constexpr std::size_t kTogether = 4;
  static constexpr std::size_t kAlternatives = 1;

  /// It is 1: what a row's unit is worth.
  static constexpr std::size_t kFactors = 1;
  static std::uint16_t factor(const Block&, std::size_t) noexcept { return 0x3c00; }
  static void set_factor(Block&, std::size_t, std::uint16_t) noexcept {}

  static unsigned scale(const Block& block, std::size_t b) noexcept { return block.scales[b]; }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.scales[b] = static_cast<std::uint8_t>(code);
  }
  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    block.set_code(i, code);
  }
  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 4 : 8;
  }
  static ldlq::Ints candidate(const ldlq::Ints& plain, std::size_t n, Effort effort) noexcept {
    const auto count = static_cast<int>(candidates(effort));
    return ldlq::window(plain, n, count, count / 2 - 1, nvfp4::kMostScale + 1);
  }

  struct Scale {
    ldlq::Floats scale;
    ldlq::Floats inverse;
  };
  static Scale scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    const ldlq::Floats scale = nvfp4::scale_of(code) * factors[0];
    return {scale, select(scale > 0x1p-100f, ldlq::Floats(1) / scale, 0)};
  }
  struct Group {
    explicit Group(const float (&)[1]) noexcept {}
    void nearest(const Scale (&scale)[kTogether], const ldlq::Floats (&target)[kTogether][1],
                 ldlq::Option<1> (&options)[1][kTogether]) const noexcept {
      for (std::size_t k = 0; k < kTogether; ++k) {
        const ldlq::Floats& wanted = target[k][0];
        const ldlq::Floats number = round_to_e2m1(abs(wanted) * scale[k].inverse);
        const ldlq::Floats decoded = number * scale[k].scale;
        options[0][k].code = nvfp4::codes_of(number, wanted);
        options[0][k].decoded[0] = select(wanted < 0, -decoded, decoded);
      }
    }
  };
};

}  // namespace

FeedbackKernel feedback_nvfp4() noexcept {
  return ldlq::kernel<FeedbackNvfp4>();
}

}  // namespace sluice::inline SLUICE_ISA
