#pragma once

#include <span>

#include "codec/feedback.h"
#include "codec/measures.h"
#include "codec/preparation.h"
#include "codec/published.h"
#include "sluice/codec.h"

namespace sluice {

/// What is compiled once for each instruction set.
struct Kernels {
  std::span<const Codec> codecs;
  std::span<const FeedbackKernel> feedback;
  std::span<const Preparation> preparations;
  CodeDecoders code_decoders;
  ErrorSums (*plain_errors)(std::span<const float> x, const float* y) noexcept;
  ErrorSums (*weighted_errors)(std::span<const float> x, const float* y,
                               const float* importance) noexcept;
  float (*largest_magnitude)(std::span<const float> values) noexcept;
};

}  // namespace sluice
