#include <array>

#include "codec/bf16/bf16.h"
#include "codec/f16/f16.h"
#include "codec/f32/f32.h"
#include "codec/f64/f64.h"
#include "codec/q2_k/q2_k.h"
#include "codec/q3_k/q3_k.h"
#include "codec/q4_0/q4_0.h"
#include "codec/q4_1/q4_1.h"
#include "codec/q4_k/q4_k.h"
#include "codec/q5_0/q5_0.h"
#include "codec/q5_1/q5_1.h"
#include "codec/q5_k/q5_k.h"
#include "codec/q6_0/q6_0.h"
#include "codec/q6_k/q6_k.h"
#include "codec/q8_0/q8_0.h"
#include "codec/types.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {

#define SLUICE_DECLARE(type) Codec codec_##type() noexcept;
SLUICE_CODEC_TYPES(SLUICE_DECLARE)

// Types without a file of the families' folders.
#define SLUICE_DEFINE(type, encode)                                         \
  Codec codec_##type() noexcept {                                           \
    return {TensorType::type, decode_##type, encode, scales_finite_##type}; \
  }
SLUICE_DEFINE(f32, encode_f32)
SLUICE_DEFINE(f16, encode_f16)
SLUICE_DEFINE(q4_0, encode_q4_0)
SLUICE_DEFINE(q4_1, encode_q4_1)
SLUICE_DEFINE(q5_0, encode_q5_0)
SLUICE_DEFINE(q5_1, encode_q5_1)
SLUICE_DEFINE(q8_0, encode_q8_0)
SLUICE_DEFINE(q2_k, encode_q2_k)
SLUICE_DEFINE(q3_k, encode_q3_k)
SLUICE_DEFINE(q4_k, encode_q4_k)
SLUICE_DEFINE(q5_k, encode_q5_k)
SLUICE_DEFINE(q6_k, encode_q6_k)
SLUICE_DEFINE(f64, nullptr)
SLUICE_DEFINE(bf16, encode_bf16)
SLUICE_DEFINE(q6_0, encode_q6_0)

std::span<const Codec> codec_table() noexcept {
#define SLUICE_ROW(type) codec_##type(),
  static const std::array kCodecs = {SLUICE_CODEC_TYPES(SLUICE_ROW)};
  return kCodecs;
}

}  // namespace sluice::inline SLUICE_ISA
