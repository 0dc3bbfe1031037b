#include "codec/i_quants/iq2_ks.h"

#include "codec/feedback/levels.h"
#include "codec/feedback/row_block.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq2_ks() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<ldlq::RowBlock<BlockIq2Ks>, TensorType::iq2_ks, 3, 8>>();
}

}  // namespace sluice::inline SLUICE_ISA
