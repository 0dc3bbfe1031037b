#pragma once

#include <span>
#include <vector>

#include "base/team.h"
#include "linear/matrix.h"
#include "sluice/codec.h"

namespace sluice::measure {

/// Kullback-Leibler divergences of each row's softmax(q) from softmax(p), in nats, summed over rows. The
/// same bits on every machine.
/// \param p   logits [tokens, vocabulary]
/// \param qs  others of the same tokens
std::vector<double> divergences(const linear::ConstMatrix& p,
                                std::span<const linear::ConstMatrix> qs, Isa isa, Team& team);

}  // namespace sluice::measure
