#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "model/part.h"

namespace sluice::model {

/// What the gate goes through before the other half is multiplied by it.
enum class Activation { silu, gelu };

/// gate = activation(gate) * up, row by row.
void gate_rows(Activation activation, const linear::Matrix& gate, const linear::ConstMatrix& up,
               const Run& run);

/// down(activation(gate x) * (up x))
struct FeedForwardParts {
  Frame frame;
  Projection gate = {};  ///< without a name: `up` has twice the rows, those of the gate first
  Projection up;
  Projection down;
  Activation activation = Activation::silu;
};

/// As most models name and number them. What has no ffn_gate has it in ffn_up.
FeedForwardParts feed_forward_parts(const Metadata& model, std::uint64_t layer, const Frame& frame);

std::unique_ptr<Part> feed_forward(FeedForwardParts parts);

}  // namespace sluice::model
