#include "codec/i_quants/iq4_ks.h"

#include "codec/feedback/levels.h"
#include "codec/feedback/row_block.h"

namespace sluice::inline SLUICE_ISA {

FeedbackKernel feedback_iq4_ks() noexcept {
  return ldlq::kernel<ldlq::LevelBlocks<ldlq::RowBlock<BlockIq4Ks>, TensorType::iq4_ks, 3, 8, 2>>();
}

}  // namespace sluice::inline SLUICE_ISA
