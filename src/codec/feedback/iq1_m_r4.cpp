#include "codec/interleaved/iq1_m_r4.h"

#include "codec/feedback/four_rows.h"
#include "codec/feedback/iq1.h"
#include "codec/feedback/kernel.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackIq1MR4 : ldlq::FourRows<Iq1MR4, BlockIq1MRows<1>>,
                        ldlq::GroupShifts<Iq1MR4::kMultiples, 4, 8, 3> {
  static constexpr TensorType kType = TensorType::iq1_m_r4;

  static unsigned scale(const Block& block, std::size_t b) noexcept { return block.scale(0, b); }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale(0, b, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_entry(0, g, iq1::entry_of(code));
  }
};

}  // namespace

FeedbackKernel feedback_iq1_m_r4() noexcept {
  return ldlq::kernel<FeedbackIq1MR4>();
}

}  // namespace sluice::inline SLUICE_ISA
