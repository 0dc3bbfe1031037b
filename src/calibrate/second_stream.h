#pragma once

#include <cstdint>

#include "base/team.h"
#include "linear/matrix.h"
#include "model/network.h"

// What the layers make of tokens once they are quantized goes along with what the model makes of them:
// sequences alternate, one of the model, the same of what it becomes. All tokens come to a matrix before
// it is multiplied, so that it can be encoded by then; what it gives to the second of each two is then
// replaced by what it gives with the weights that it has become.

namespace sluice::calibrate {

/// Each sequence twice, one behind the other.
model::Tokens each_twice(const model::Tokens& tokens);

/// Whether a token is of the second of two sequences.
inline bool is_second(std::uint64_t token, std::uint64_t sequence_length) {
  return token / sequence_length % 2 == 1;
}

/// What second sequences begin with.
/// \param tokens   of both streams
/// \param weights  that have what the embedding has become
/// \param stream   [tokens, width], of both
void embed_second(const model::Network& network, const model::Tokens& tokens,
                  model::WeightStore& weights, const linear::Matrix& stream,
                  const model::RunSettings& settings, Team& team);

}  // namespace sluice::calibrate
