#include "codec/i_quants/iq1_m.h"

#include "codec/feedback/iq1.h"
#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackIq1M : ldlq::GroupShifts<iq1::kOddMultiples, 4, 8, 1> {
  using Block = BlockIq1M;
  static constexpr TensorType kType = TensorType::iq1_m;
  static constexpr std::size_t kSubBlock = 16;
  static constexpr std::size_t kFactors = 1;

  static std::uint16_t factor(const Block& block, std::size_t) noexcept { return block.d(); }
  static void set_factor(Block& block, std::size_t, std::uint16_t half) noexcept {
    block.set_d(half);
  }
  static unsigned scale(const Block& block, std::size_t b) noexcept { return block.scale(b); }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale(b, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_entry(g, iq1::entry_of(code));
  }
};

}  // namespace

FeedbackKernel feedback_iq1_m() noexcept {
  return ldlq::kernel<FeedbackIq1M>();
}

}  // namespace sluice::inline SLUICE_ISA
