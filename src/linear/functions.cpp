#include "linear/functions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace sluice::linear {
namespace {

// 2^(x / ln 2): the whole part of the exponent goes to the bits, of the rest a polynomial is taken
// (Cephes' expf).
float exponential(float x) {
  constexpr float kLog2 = 1.44269504F;
  const float bounded = std::clamp(x, -87.0F, 88.0F);
  const float whole = std::floor(bounded * kLog2 + 0.5F);
  const float rest = (bounded - whole * 0.693359375F) + whole * 2.12194440e-4F;
  float series = 1.9875691500e-4F;
  for (const float c :
       {1.3981999507e-3F, 8.3334519073e-3F, 4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F}) {
    series = series * rest + c;
  }
  const float fraction = series * rest * rest + rest + 1.0F;
  return fraction * std::bit_cast<float>((static_cast<std::int32_t>(whole) + 127) << 23);
}

float hyperbolic_tangent(float x) {
  const float size = std::fabs(x);
  if (size < 0.625F) {
    const float square = x * x;
    float series = -5.70498872745e-3F;
    for (const float c :
         {2.06390887954e-2F, -5.37397155531e-2F, 1.33314422036e-1F, -3.33332819422e-1F}) {
      series = series * square + c;
    }
    return series * square * x + x;
  }
  const float result = 1.0F - 2.0F / (exponential(2.0F * std::min(size, 20.0F)) + 1.0F);
  return std::copysign(result, x);
}

}  // namespace

void rms_norm(const float* x, const float* weights, std::size_t n, float epsilon, float* out, Isa) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * x[i];
  const auto mean = static_cast<float>(sum / static_cast<double>(n));
  const float scale = 1.0F / std::sqrt(mean + epsilon);
  for (std::size_t i = 0; i < n; ++i) out[i] = x[i] * scale * (weights ? weights[i] : 1.0F);
}

void add(float* x, const float* y, std::size_t n, Isa) {
  for (std::size_t i = 0; i < n; ++i) x[i] += y[i];
}

void softmax(float* x, std::size_t n, const float* sink, Isa) {
  float most = *std::max_element(x, x + n);
  if (sink) most = std::max(most, *sink);
  float sum = sink ? exponential(*sink - most) : 0.0F;
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = exponential(x[i] - most);
    sum += x[i];
  }
  for (std::size_t i = 0; i < n; ++i) x[i] /= sum;
}

void soft_cap(float* x, std::size_t n, float cap, Isa) {
  for (std::size_t i = 0; i < n; ++i) x[i] = cap * hyperbolic_tangent(x[i] / cap);
}

void silu_gate(float* gate, const float* up, std::size_t n, Isa) {
  for (std::size_t i = 0; i < n; ++i) gate[i] = gate[i] / (1.0F + exponential(-gate[i])) * up[i];
}

void gelu_gate(float* gate, const float* up, std::size_t n, Isa) {
  constexpr float kRoot = 0.79788456F;  // sqrt(2 / pi)
  for (std::size_t i = 0; i < n; ++i) {
    const float x = gate[i];
    const float inner = kRoot * x * (1.0F + 0.044715F * x * x);
    gate[i] = 0.5F * x * (1.0F + hyperbolic_tangent(inner)) * up[i];
  }
}

}  // namespace sluice::linear
