#include "codec/k_quants/q2_k.h"

#include "codec/feedback/k_quants.h"

namespace sluice::inline SLUICE_ISA {
namespace {

struct FeedbackQ2K : ldlq::AffineType<BlockQ2_K, 16, 3, 15> {
  static constexpr TensorType kType = TensorType::q2_k;

  static unsigned scale(const Block& block, std::size_t b) noexcept {
    return (block.scales[b] & 15u) | (block.scales[b] >> 4u) << 8;
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.scales[b] = static_cast<std::uint8_t>((code & 15) | code >> 8 << 4);
  }
  static void set_code(Block& block, std::size_t i, unsigned code) noexcept {
    set_two_bits(block.codes, i, code);
  }
};

}  // namespace

FeedbackKernel feedback_q2_k() noexcept {
  return ldlq::kernel<FeedbackQ2K>();
}

}  // namespace sluice::inline SLUICE_ISA
