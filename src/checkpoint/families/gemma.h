#pragma once

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {

/// Norms around both halves of a layer.
std::vector<Rule> gemma_rules();

/// Every norm is stored less one.
bool is_gemma_norm(std::string_view stored);

}  // namespace sluice::checkpoint
