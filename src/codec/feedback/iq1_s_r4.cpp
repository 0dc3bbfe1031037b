#include "codec/interleaved/iq1_s_r4.h"

#include "codec/feedback/four_rows.h"
#include "codec/feedback/iq1.h"
#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackIq1SR4 : ldlq::FourRows<Iq1SR4, BlockIq1SRows<1>>, ldlq::SubBlockShifts {
  static constexpr TensorType kType = TensorType::iq1_s_r4;

  static unsigned scale(const Block& block, std::size_t) noexcept {
    return block.scale_and_shift(0);
  }
  static void set_scale(Block& block, std::size_t, unsigned code) noexcept {
    block.set_scale_and_shift(0, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_index(0, g, iq1::entry_of(code) & 0x7ffu);
  }
};

}  // namespace

FeedbackKernel feedback_iq1_s_r4() noexcept {
  return ldlq::kernel<FeedbackIq1SR4>();
}

}  // namespace sluice::inline SLUICE_ISA
