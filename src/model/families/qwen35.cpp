// Qwen 3.5 and 3.6, with experts or without. Their rotary positions are those of text, images and time in
// one (rope.dimension_sections): in text all of them are the token's.

#include "model/families/qwen_hybrid.h"

namespace sluice::model {

Description describe_qwen35(const Metadata& model) {
  return describe_qwen_hybrid(model, true);
}

}  // namespace sluice::model
