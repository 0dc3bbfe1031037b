#include "linear/kernels/functions.h"

#include <cfloat>
#include <cmath>
#include <cstring>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

using simd::Floats;
using simd::Ints;

constexpr std::size_t kAtOnce = Floats::kLanes;

/// Some numbers, and `rest` in the lanes beyond them.
static Floats load_some(const float* from, std::size_t count, float rest = 0.0f) noexcept {
  if (count >= kAtOnce) return Floats::load(from);
  float lanes[kAtOnce];
  Floats(rest).store(lanes);
  std::memcpy(lanes, from, count * sizeof(float));
  return Floats::load(lanes);
}

static void store_some(const Floats& numbers, float* to, std::size_t count) noexcept {
  if (count >= kAtOnce) return numbers.store(to);
  float lanes[kAtOnce];
  numbers.store(lanes);
  std::memcpy(to, lanes, count * sizeof(float));
}

/// x = f(x)
template <class Function>
static void apply(float* x, std::size_t n, const Function& f) noexcept {
  for (std::size_t i = 0; i < n; i += kAtOnce) {
    store_some(f(load_some(x + i, n - i)), x + i, n - i);
  }
}

/// x = f(x, y)
template <class Function>
static void apply(float* x, const float* y, std::size_t n, const Function& f) noexcept {
  for (std::size_t i = 0; i < n; i += kAtOnce) {
    store_some(f(load_some(x + i, n - i), load_some(y + i, n - i)), x + i, n - i);
  }
}

/// Of magnitudes that floats have room for; what is beyond is drawn in. The whole part of the binary
/// exponent goes to the bits, of the rest a polynomial is taken (Cephes' expf).
SLUICE_INLINE Floats exponential(const Floats& x) noexcept {
  const Floats bounded = min(Floats(88.0f), max(Floats(-87.0f), x));  // NaN stays
  const Floats whole = round(bounded * 1.44269504f);
  const Floats rest = (bounded - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Floats series = 1.9875691500e-4f;
  for (const float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f}) {
    series = series * rest + c;
  }
  const Floats fraction = series * rest * rest + rest + 1.0f;
  return fraction * simd::bits_of<Floats>(simd::shift_left<23>(to_ints(whole) + 127));
}

/// Near zero, where the exponential would lose digits, a polynomial (Cephes' tanhf).
SLUICE_INLINE Floats hyperbolic_tangent(const Floats& x) noexcept {
  const Floats square = x * x;
  Floats series = -5.70498872745e-3f;
  for (const float c :
       {2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f}) {
    series = series * square + c;
  }
  const Floats size = abs(x);
  const Floats far = 1.0f - 2.0f / (exponential(2.0f * size) + 1.0f);
  return select(size < 0.625f, series * square * x + x, select(x < 0.0f, -far, far));
}

SLUICE_INLINE Floats logistic(const Floats& x) noexcept {
  return 1.0f / (1.0f + exponential(-x));
}

static double sum_of_squares(const float* x, std::size_t n) noexcept {
  simd::Doubles squares(0.0);
  for (std::size_t i = 0; i < n; i += kAtOnce) {
    const simd::Doubles numbers = to_doubles(load_some(x + i, n - i));
    squares += numbers * numbers;
  }
  double sum = 0;
  for (std::size_t lane = 0; lane < kAtOnce; ++lane) sum += squares[lane];
  return sum;
}

static void rms_norm(const float* x, const float* weights, std::size_t n, float epsilon,
                     float* out) noexcept {
  const auto mean = static_cast<float>(sum_of_squares(x, n) / static_cast<double>(n));
  const float scale = 1.0f / __builtin_sqrtf(mean + epsilon);
  for (std::size_t i = 0; i < n; i += kAtOnce) {
    Floats numbers = load_some(x + i, n - i) * scale;
    if (weights != nullptr) numbers *= load_some(weights + i, n - i);
    store_some(numbers, out + i, n - i);
  }
}

static void l2_norm(float* x, std::size_t n, float epsilon) noexcept {
  const float length = __builtin_sqrtf(static_cast<float>(sum_of_squares(x, n)));
  const float scale = 1.0f / (length < epsilon ? epsilon : length);
  apply(x, n, [scale](const Floats& a) noexcept { return a * scale; });
}

static void add(float* x, const float* y, std::size_t n) noexcept {
  apply(x, y, n, [](const Floats& a, const Floats& b) noexcept { return a + b; });
}

static void softmax(float* x, std::size_t n, const float* sink) noexcept {
  Floats largest(sink != nullptr ? *sink : -FLT_MAX);
  for (std::size_t i = 0; i < n; i += kAtOnce) {
    largest = max(largest, load_some(x + i, n - i, -FLT_MAX));
  }
  const float most = reduce_max(largest);
  Floats sums(0.0f);
  for (std::size_t i = 0; i < n; i += kAtOnce) {
    store_some(exponential(load_some(x + i, n - i) - most), x + i, n - i);
    sums += load_some(x + i, n - i);
  }
  float sum = reduce_sum(sums);
  if (sink != nullptr) sum += exponential(Floats(*sink - most))[0];
  apply(x, n, [sum](const Floats& a) noexcept { return a / sum; });
}

static void soft_cap(float* x, std::size_t n, float cap) noexcept {
  apply(x, n, [cap](const Floats& a) noexcept { return cap * hyperbolic_tangent(a / cap); });
}

static void silu(float* x, std::size_t n) noexcept {
  apply(x, n, [](const Floats& a) noexcept { return a * logistic(a); });
}

static void silu_gate(float* gate, const float* up, std::size_t n) noexcept {
  apply(gate, up, n, [](const Floats& a, const Floats& b) noexcept { return a * logistic(a) * b; });
}

static void gelu_gate(float* gate, const float* up, std::size_t n) noexcept {
  apply(gate, up, n, [](const Floats& a, const Floats& b) noexcept {
    constexpr float kRoot = 0.79788456f;  // sqrt(2 / pi)
    const Floats inner = kRoot * a * (1.0f + 0.044715f * a * a);
    return 0.5f * a * (1.0f + hyperbolic_tangent(inner)) * b;
  });
}

static void clamped_silu_gate(float* gate, const float* up, std::size_t n) noexcept {
  apply(gate, up, n, [](const Floats& a, const Floats& b) noexcept {
    const Floats most(7.0f);
    const Floats g = min(most, a);
    const Floats u = min(most, max(-most, b));
    return g * logistic(1.702f * g) * (u + 1.0f);
  });
}

static void sigmoid(float* x, std::size_t n) noexcept {
  apply(x, n, [](const Floats& a) noexcept { return logistic(a); });
}

const linear::Functions& linear_functions() noexcept {
  static const linear::Functions kFunctions = {
      .rms_norm = rms_norm,
      .l2_norm = l2_norm,
      .add = add,
      .softmax = softmax,
      .soft_cap = soft_cap,
      .silu = silu,
      .silu_gate = silu_gate,
      .gelu_gate = gelu_gate,
      .clamped_silu_gate = clamped_silu_gate,
      .sigmoid = sigmoid,
  };
  return kFunctions;
}

}  // namespace sluice::inline SLUICE_ISA
