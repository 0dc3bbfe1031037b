#include "codec/k_quants/q5_k.h"

#include "codec/feedback/k_quants.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackQ5K : ldlq::AffineType<BlockQ5_K, 32, 31, 63> {
  static constexpr TensorType kType = TensorType::q5_k;

  static unsigned scale(const Block& block, std::size_t b) noexcept {
    return block.scales_and_mins.scale(b) | block.scales_and_mins.min(b) << 8;
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.scales_and_mins.set(b, code & 255, code >> 8);
  }
  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    set_nibble<32>(block.low, i, code);
    put_bits<1>(block.high[i % 32], i / 32, code >> 4);
  }
};

}  // namespace

FeedbackKernel feedback_q5_k() noexcept {
  return ldlq::kernel<FeedbackQ5K>();
}

}  // namespace sluice::inline SLUICE_ISA
