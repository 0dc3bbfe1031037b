#include "codec/legacy/q8_kv.h"

namespace sluice::inline SLUICE_ISA {

/// What a row of Q8_KV (ik_llama.cpp only) begins with: the scale, and what nothing depends on here.
struct ScaleQ8Kv {
  float d;
  std::uint32_t sum;  ///< of the row's codes
};
static inline float row_scale(const ScaleQ8Kv& scale) noexcept {
  return scale.d;
}

Codec codec_q8_kv() noexcept {
  return block_codec<BlockQ8Kv<ScaleQ8Kv>>(TensorType::q8_kv);
}

}  // namespace sluice::inline SLUICE_ISA
