#pragma once

#include <functional>
#include <string>

#include "measure/measurements.h"
#include "measure/model_parts.h"
#include "sluice/gguf.h"

namespace sluice::measure {

/// What gains are reckoned from.
struct GainFacts {
  const gguf::Header& model;
  Numbers norms;  ///< numbers of the model's norms
  /// Whether the powers and errors of a tensor are under mean squares of its inputs that were measured, or
  /// that a norm gives.
  std::function<bool(const std::string& tensor)> squares_known;
};

/// Reckons each tensor's gain, and the divergence, from the powers of all: nothing is run.
///
/// A change of the residual stream counts by its share of the stream's mean square, since all that read
/// the stream look at it through a norm. The stream's mean square is the embedding's and what the
/// layers' parts (attention, feed-forward networks) add to it; a part adds the power of the matrix
/// that writes for it, which an importance matrix gives: its row for attn_output, ssm_out or ffn_down is the
/// mean square of what the part has calculated. Outputs far from the others are left out (typical_power):
/// where single tokens have massive activations, in few columns of the stream, no other token has them.
///
/// A matrix of a part that does not write itself (query, key, value, gate, up) changes what its part
/// writes by the relative error of its own outputs: exactly so for values and up, nearly for gates, and
/// for the scores of attention as long as their spread is about one. Queries, keys and values in one
/// matrix do so three times. What comes into a layer before the feed-forward network goes through that
/// too, which changes by as much, for each of gate and up: a small stream before a large network, as in
/// first layers, counts for much.
///
/// The output matrix changes the logits by its relative error; so does the stream, but as the powers leave
/// out that inputs are correlated, what is written is more than was reckoned, and a change a smaller part of
/// it. See bench/notes/measuring.md.
void add_gains(const GainFacts& facts, Measurements& measurements);

}  // namespace sluice::measure
