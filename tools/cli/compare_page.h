#pragma once

#include <string>

#include "sluice/compare.h"

namespace sluice::cli {

/// A page about a comparison: the error of each tensor by layer and by kind, and all numbers.
std::string compare_page(const CompareOptions& options, const Comparison& comparison);

}  // namespace sluice::cli
