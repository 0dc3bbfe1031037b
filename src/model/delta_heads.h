#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/delta_net.h"

// What a gated delta net does between its products.

namespace sluice::model {

/// Each channel becomes silu of its sum over the last tokens of its sequence, in place.
/// \param x        [tokens, channels] of whole sequences
/// \param weights  [taps, channels], those of the token itself last
void convolve(const linear::Matrix& x, const std::vector<float>& weights,
              std::uint64_t sequence_length, Isa isa, Team& team);

/// What all value heads are told at each token, [tokens, value_heads].
struct DeltaRates {
  linear::ConstMatrix decays;  ///< what states are multiplied by
  linear::ConstMatrix rates;
};

/// Runs the states of all heads over each sequence, from zero: values become what the heads give.
/// \param x  [tokens, channels] of whole sequences: queries, keys, values
void run_states(const DeltaHeads& heads, const linear::Matrix& x, const DeltaRates& rates,
                std::uint64_t sequence_length, Isa isa, Team& team);

/// Bytes that run_states needs.
std::uint64_t state_bytes(const DeltaHeads& heads, int threads);

}  // namespace sluice::model
