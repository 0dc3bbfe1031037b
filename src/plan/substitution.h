#pragma once

#include <string>

#include "plan/plan.h"

namespace sluice {

/// Tells of the tensors that get another type than their rule's, since their rows are no whole
/// blocks of it: how many, what share of the weights, and what it does to the bits a weight.
/// \returns half a sentence, or nothing if there are none
std::string substitution_text(const Plan& plan);

}  // namespace sluice
