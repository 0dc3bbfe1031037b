#include "linear/functions.h"

#include "linear/kernels.h"

namespace sluice::linear {

void rms_norm(const float* x, const float* weights, std::size_t n, float epsilon, float* out,
              Isa isa) {
  kernels(isa).functions.rms_norm(x, weights, n, epsilon, out);
}

void l2_norm(float* x, std::size_t n, float epsilon, Isa isa) {
  kernels(isa).functions.l2_norm(x, n, epsilon);
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

void silu(float* x, std::size_t n, Isa isa) {
  kernels(isa).functions.silu(x, n);
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

}  // namespace sluice::linear
