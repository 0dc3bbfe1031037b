#include "codec/k_quants/q3_k.h"

#include "codec/feedback/k_quants.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackQ3K : ldlq::SymmetricType<BlockQ3_K, -4, -32> {
  static constexpr TensorType kType = TensorType::q3_k;

  static unsigned scale(const Block& block, std::size_t b) noexcept {
    return static_cast<unsigned>(block.scale(static_cast<int>(b)) + 32);
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale(static_cast<int>(b), static_cast<int>(code) - 32);
  }
  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    set_two_bits(block.low, i, code);
    put_bits<1>(block.high[i % 32], i / 32, code >> 2);
  }
};

}  // namespace

FeedbackKernel feedback_q3_k() noexcept {
  return ldlq::kernel<FeedbackQ3K>();
}

}  // namespace sluice::inline SLUICE_ISA
