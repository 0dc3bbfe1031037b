#include "codec/k_quants/q6_k.h"

#include "codec/feedback/k_quants.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackQ6K : ldlq::SymmetricType<BlockQ6_K, -32, -128> {
  static constexpr TensorType kType = TensorType::q6_k;

  static unsigned scale(const Block& block, std::size_t b) noexcept {
    return static_cast<unsigned>(block.scales[b] + 128);
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.scales[b] = static_cast<std::int8_t>(static_cast<int>(code) - 128);
  }
  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    set_nibble<64>(block.low, i, code);
    set_two_bits(block.high, i, code >> 4);
  }
};

}  // namespace

FeedbackKernel feedback_q6_k() noexcept {
  return ldlq::kernel<FeedbackQ6K>();
}

}  // namespace sluice::inline SLUICE_ISA
