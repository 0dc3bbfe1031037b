#include "codec/k_quants/q4_k.h"

#include "codec/feedback/k_quants.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackQ4K : ldlq::AffineType<BlockQ4_K, 32, 15, 63> {
  static constexpr TensorType kType = TensorType::q4_k;

  static unsigned scale(const Block& block, std::size_t b) noexcept {
    return block.scales_and_mins.scale(b) | block.scales_and_mins.min(b) << 8;
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.scales_and_mins.set(b, code & 255, code >> 8);
  }
  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    set_nibble<32>(block.codes, i, code);
  }
};

}  // namespace

FeedbackKernel feedback_q4_k() noexcept {
  return ldlq::kernel<FeedbackQ4K>();
}

}  // namespace sluice::inline SLUICE_ISA
