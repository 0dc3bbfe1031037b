#pragma once

#include <cstddef>

#include "sluice/codec.h"

// What is calculated between products: functions of single numbers and of rows. Exponentials are
// polynomials of our own (libraries' differ), and sums have one order, so that the bits are the same
// on every machine. NaN stays NaN.

namespace sluice::linear {

/// out = x / sqrt(mean of x^2 + epsilon) * weights; `out` may be x.
/// \param weights  [n], or null: 1
void rms_norm(const float* x, const float* weights, std::size_t n, float epsilon, float* out,
              Isa isa);

/// x = x / max(sqrt(sum of x^2), epsilon)
void l2_norm(float* x, std::size_t n, float epsilon, Isa isa);

/// x += y
void add(float* x, const float* y, std::size_t n, Isa isa);

/// x = exp(x) / sum of exp(x).
/// \param sink  one more number that counts in the sum; null: none
void softmax(float* x, std::size_t n, const float* sink, Isa isa);

/// x = cap * tanh(x / cap)
void soft_cap(float* x, std::size_t n, float cap, Isa isa);

/// x = silu(x) = x / (1 + exp(-x))
void silu(float* x, std::size_t n, Isa isa);

/// gate = silu(gate) * up
void silu_gate(float* gate, const float* up, std::size_t n, Isa isa);

/// gate = gelu(gate) * up, with the approximation of gelu by tanh
void gelu_gate(float* gate, const float* up, std::size_t n, Isa isa);

/// gate = g sigmoid(1.702 g) (u + 1), where g is the gate, at most 7, and u is `up`, from -7 to 7:
/// gpt-oss's
void clamped_silu_gate(float* gate, const float* up, std::size_t n, Isa isa);

/// x = 1 / (1 + exp(-x))
void sigmoid(float* x, std::size_t n, Isa isa);

}  // namespace sluice::linear
