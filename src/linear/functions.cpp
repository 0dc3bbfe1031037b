#include "linear/functions.h"

#include "linear/kernels.h"

namespace sluice::linear {

void rms_norm(const float* x, const float* weights, std::size_t n, float epsilon, float* out,
              Isa isa) {
  kernels(isa).functions.rms_norm(x, weights, n, epsilon, out);
}

void add(float* x, const float* y, std::size_t n, Isa isa) {
  kernels(isa).functions.add(x, y, n);
}

void softmax(float* x, std::size_t n, const float* sink, Isa isa) {
  kernels(isa).functions.softmax(x, n, sink);
}

void soft_cap(float* x, std::size_t n, float cap, Isa isa) {
  kernels(isa).functions.soft_cap(x, n, cap);
}

void silu_gate(float* gate, const float* up, std::size_t n, Isa isa) {
  kernels(isa).functions.silu_gate(gate, up, n);
}

void gelu_gate(float* gate, const float* up, std::size_t n, Isa isa) {
  kernels(isa).functions.gelu_gate(gate, up, n);
}

void clamped_silu_gate(float* gate, const float* up, std::size_t n, Isa isa) {
  kernels(isa).functions.clamped_silu_gate(gate, up, n);
}

void sigmoid(float* x, std::size_t n, Isa isa) {
  kernels(isa).functions.sigmoid(x, n);
}

void clamped_silu_gate(float* gate, const float* up, std::size_t n, Isa) {
  constexpr float kMost = 7.0F;
  for (std::size_t i = 0; i < n; ++i) {
    const float g = std::min(gate[i], kMost);
    const float u = std::clamp(up[i], -kMost, kMost);
    gate[i] = g / (1.0F + exponential(-1.702F * g)) * (u + 1.0F);
  }
}

void sigmoid(float* x, std::size_t n, Isa) {
  for (std::size_t i = 0; i < n; ++i) x[i] = 1.0F / (1.0F + exponential(-x[i]));
}

}  // namespace sluice::linear
