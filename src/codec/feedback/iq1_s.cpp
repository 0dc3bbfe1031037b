#include "codec/i_quants/iq1_s.h"

#include "codec/feedback/iq1.h"
#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackIq1S : ldlq::SubBlockShifts {
  using Block = BlockIq1S;
  static constexpr TensorType kType = TensorType::iq1_s;
  static constexpr std::size_t kSubBlock = 32;
  static constexpr std::size_t kFactors = 1;

  static std::uint16_t factor(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_factor(Block& block, std::size_t, std::uint16_t half) noexcept { block.d = half; }
  static unsigned scale(const Block& block, std::size_t b) noexcept {
    return block.scale_and_shift(b);
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale_and_shift(b, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_index(g, iq1::entry_of(code) & 0x7ffu);
  }
};

}  // namespace

FeedbackKernel feedback_iq1_s() noexcept {
  return ldlq::kernel<FeedbackIq1S>();
}

}  // namespace sluice::inline SLUICE_ISA
