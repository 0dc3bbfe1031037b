#include <array>

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
#include "codec/tq1_0/tq1_0.h"
#include "codec/tq2_0/tq2_0.h"
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
SLUICE_DEFINE(iq2_xxs, encode_iq2_xxs)
SLUICE_DEFINE(iq2_xs, encode_iq2_xs)
SLUICE_DEFINE(iq3_xxs, encode_iq3_xxs)
SLUICE_DEFINE(iq4_nl, encode_iq4_nl)
SLUICE_DEFINE(iq3_s, encode_iq3_s)
SLUICE_DEFINE(iq2_s, encode_iq2_s)
SLUICE_DEFINE(iq4_xs, encode_iq4_xs)
SLUICE_DEFINE(tq1_0, encode_tq1_0)
SLUICE_DEFINE(tq2_0, encode_tq2_0)
SLUICE_DEFINE(mxfp4, encode_mxfp4)
SLUICE_DEFINE(nvfp4, nullptr)
SLUICE_DEFINE(iq2_k, encode_iq2_k)
SLUICE_DEFINE(iq3_k, encode_iq3_k)
SLUICE_DEFINE(iq4_k, encode_iq4_k)
SLUICE_DEFINE(iq5_k, nullptr)
SLUICE_DEFINE(iq6_k, nullptr)

std::span<const Codec> codec_table() noexcept {
#define SLUICE_ROW(type) codec_##type(),
  static const std::array kCodecs = {SLUICE_CODEC_TYPES(SLUICE_ROW)};
  return kCodecs;
}

}  // namespace sluice::inline SLUICE_ISA
