#include "codec/i_quants/iq3_ks.h"

#include "codec/feedback/levels.h"
#include "codec/feedback/row_block.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq3_ks() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<ldlq::RowBlock<BlockIq3Ks>, TensorType::iq3_ks, 3, 8>>();
}

}  // namespace sluice::inline SLUICE_ISA
