#include "codec/i_quants/iq5_ks.h"

#include "codec/feedback/levels.h"
#include "codec/feedback/row_block.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq5_ks() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<ldlq::RowBlock<BlockIq5Ks>, TensorType::iq5_ks, 3, 8, 2>>();
}

}  // namespace sluice::inline SLUICE_ISA
