#pragma once

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {

/// What models that descend from Llama have beyond the common keys: the vocabulary's size, the
/// width that rotates, and the factors of Llama 3.1's positions.
void describe_llama(const Description& description);

/// Rules of those whose rotary halves become neighbours.
std::vector<Rule> rotary_rules();

}  // namespace sluice::checkpoint
