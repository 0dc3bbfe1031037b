#include <array>

#include "codec/bf16/bf16.h"
#include "codec/f16/f16.h"
#include "codec/f32/f32.h"
#include "codec/f64/f64.h"
#include "codec/iq1_m/iq1_m.h"
#include "codec/iq1_s/iq1_s.h"
#include "codec/iq2_k/iq2_k.h"
#include "codec/iq2_s/iq2_s.h"
#include "codec/iq2_xs/iq2_xs.h"
#include "codec/iq2_xxs/iq2_xxs.h"
#include "codec/iq3_k/iq3_k.h"
#include "codec/iq3_s/iq3_s.h"
#include "codec/iq3_xxs/iq3_xxs.h"
#include "codec/iq4_k/iq4_k.h"
#include "codec/iq4_nl/iq4_nl.h"
#include "codec/iq4_xs/iq4_xs.h"
#include "codec/iq5_k/iq5_k.h"
#include "codec/iq6_k/iq6_k.h"
#include "codec/mxfp4/mxfp4.h"
#include "codec/nvfp4/nvfp4.h"
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
#include "codec/tq1_0/tq1_0.h"
#include "codec/tq2_0/tq2_0.h"
#include "sluice/codec.h"

namespace sluice::inline SLUICE_ISA {
namespace {

// One row a type, by number. A null encoder: the type is only read.
constexpr std::array kCodecs = {
    Codec{TensorType::f32, decode_f32, encode_f32, scales_finite_f32},
    Codec{TensorType::f16, decode_f16, encode_f16, scales_finite_f16},
    Codec{TensorType::q4_0, decode_q4_0, encode_q4_0, scales_finite_q4_0},
    Codec{TensorType::q4_1, decode_q4_1, encode_q4_1, scales_finite_q4_1},
    Codec{TensorType::q5_0, decode_q5_0, encode_q5_0, scales_finite_q5_0},
    Codec{TensorType::q5_1, decode_q5_1, encode_q5_1, scales_finite_q5_1},
    Codec{TensorType::q8_0, decode_q8_0, encode_q8_0, scales_finite_q8_0},
    Codec{TensorType::q2_k, decode_q2_k, encode_q2_k, scales_finite_q2_k},
    Codec{TensorType::q3_k, decode_q3_k, encode_q3_k, scales_finite_q3_k},
    Codec{TensorType::q4_k, decode_q4_k, encode_q4_k, scales_finite_q4_k},
    Codec{TensorType::q5_k, decode_q5_k, encode_q5_k, scales_finite_q5_k},
    Codec{TensorType::q6_k, decode_q6_k, encode_q6_k, scales_finite_q6_k},
    Codec{TensorType::iq2_xxs, decode_iq2_xxs, encode_iq2_xxs, scales_finite_iq2_xxs},
    Codec{TensorType::iq2_xs, decode_iq2_xs, encode_iq2_xs, scales_finite_iq2_xs},
    Codec{TensorType::iq3_xxs, decode_iq3_xxs, encode_iq3_xxs, scales_finite_iq3_xxs},
    Codec{TensorType::iq1_s, decode_iq1_s, encode_iq1_s, scales_finite_iq1_s},
    Codec{TensorType::iq4_nl, decode_iq4_nl, encode_iq4_nl, scales_finite_iq4_nl},
    Codec{TensorType::iq3_s, decode_iq3_s, encode_iq3_s, scales_finite_iq3_s},
    Codec{TensorType::iq2_s, decode_iq2_s, encode_iq2_s, scales_finite_iq2_s},
    Codec{TensorType::iq4_xs, decode_iq4_xs, encode_iq4_xs, scales_finite_iq4_xs},
    Codec{TensorType::f64, decode_f64, nullptr, scales_finite_f64},
    Codec{TensorType::iq1_m, decode_iq1_m, encode_iq1_m, scales_finite_iq1_m},
    Codec{TensorType::bf16, decode_bf16, encode_bf16, scales_finite_bf16},
    Codec{TensorType::tq1_0, decode_tq1_0, encode_tq1_0, scales_finite_tq1_0},
    Codec{TensorType::tq2_0, decode_tq2_0, encode_tq2_0, scales_finite_tq2_0},
    Codec{TensorType::mxfp4, decode_mxfp4, encode_mxfp4, scales_finite_mxfp4},
    Codec{TensorType::nvfp4, decode_nvfp4, nullptr, scales_finite_nvfp4},
    Codec{TensorType::q6_0, decode_q6_0, encode_q6_0, scales_finite_q6_0},
    Codec{TensorType::iq2_k, decode_iq2_k, encode_iq2_k, scales_finite_iq2_k},
    Codec{TensorType::iq3_k, decode_iq3_k, encode_iq3_k, scales_finite_iq3_k},
    Codec{TensorType::iq4_k, decode_iq4_k, encode_iq4_k, scales_finite_iq4_k},
    Codec{TensorType::iq5_k, decode_iq5_k, nullptr, scales_finite_iq5_k},
    Codec{TensorType::iq6_k, decode_iq6_k, nullptr, scales_finite_iq6_k},
};

}  // namespace

std::span<const Codec> codec_table() noexcept {
  return kCodecs;
}

}  // namespace sluice::inline SLUICE_ISA
