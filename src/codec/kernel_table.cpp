#include <array>
#include <type_traits>

#include "codec/kernels.h"
#include "codec/types.h"

namespace sluice::inline SLUICE_ISA {

#define SLUICE_DECLARE(type) Codec codec_##type() noexcept;
SLUICE_CODEC_TYPES(SLUICE_DECLARE)

#ifndef SLUICE_NO_FEEDBACK
#define SLUICE_DECLARE_FEEDBACK(type) FeedbackKernel feedback_##type() noexcept;
SLUICE_FEEDBACK_TYPES(SLUICE_DECLARE_FEEDBACK)
#endif

#define SLUICE_DECLARE_PREPARATION(type) Preparation preparation_##type() noexcept;
SLUICE_PREPARED_TYPES(SLUICE_DECLARE_PREPARATION)

std::remove_pointer_t<DecodeCodesFunction> decode_f8_e4m3, decode_f8_e5m2, decode_int8,
    decode_words4, decode_words8, decode_mxfp4_codes, decode_nvfp4_even_codes,
    decode_nvfp4_odd_codes;

std::remove_pointer_t<decltype(Kernels::plain_errors)> sum_plain_errors;
std::remove_pointer_t<decltype(Kernels::weighted_errors)> sum_weighted_errors;
std::remove_pointer_t<decltype(Kernels::largest_magnitude)> find_largest_magnitude;

const Kernels& kernel_table() noexcept {
#define SLUICE_ROW(type) codec_##type(),
  static const std::array kCodecs = {SLUICE_CODEC_TYPES(SLUICE_ROW)};
#ifdef SLUICE_NO_FEEDBACK
  static const std::array<FeedbackKernel, 0> kFeedback = {};
#else
#define SLUICE_FEEDBACK_ROW(type) feedback_##type(),
  static const std::array kFeedback = {SLUICE_FEEDBACK_TYPES(SLUICE_FEEDBACK_ROW)};
#endif
#define SLUICE_PREPARATION_ROW(type) preparation_##type(),
  static const std::array kPreparations = {SLUICE_PREPARED_TYPES(SLUICE_PREPARATION_ROW)};
  static const Kernels kKernels = {
      .codecs = kCodecs,
      .feedback = kFeedback,
      .preparations = kPreparations,
      .code_decoders = {.f8_e4m3 = decode_f8_e4m3,
                        .f8_e5m2 = decode_f8_e5m2,
                        .int8 = decode_int8,
                        .words4 = decode_words4,
                        .words8 = decode_words8,
                        .mxfp4 = decode_mxfp4_codes,
                        .nvfp4_even = decode_nvfp4_even_codes,
                        .nvfp4_odd = decode_nvfp4_odd_codes},
      .plain_errors = sum_plain_errors,
      .weighted_errors = sum_weighted_errors,
      .largest_magnitude = find_largest_magnitude,
  };
  return kKernels;
}

}  // namespace sluice::inline SLUICE_ISA
