#pragma once

#include <span>

#include "base/team.h"
#include "linear/matrix.h"
#include "sluice/codec.h"

namespace sluice::measure {

/// Adds Kullback-Leibler divergences of each row's softmax(q) from softmax(p), in nats, to `sums`, row by
/// row: so the sums are the same bits on every machine, however many rows there are at a time.
/// \param p   logits [tokens, vocabulary]
/// \param qs  others of the same tokens, as many as sums
void add_divergences(const linear::ConstMatrix& p, std::span<const linear::ConstMatrix> qs, Isa isa,
                     Team& team, std::span<double> sums);

}  // namespace sluice::measure
