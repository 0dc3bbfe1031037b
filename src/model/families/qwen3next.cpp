// Qwen3-Next.

#include "model/families/qwen_hybrid.h"

namespace sluice::model {

Description describe_qwen3next(const Metadata& model) {
  return describe_qwen_hybrid(model, false);
}

}  // namespace sluice::model
