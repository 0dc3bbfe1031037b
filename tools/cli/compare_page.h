#pragma once

#include "html_page.h"
#include "sluice/compare.h"

namespace sluice::cli {

/// A page about a comparison: errors by kind and layer, sizes of both sides, all numbers.
Page compare_page(const CompareOptions& options, const Comparison& comparison);

}  // namespace sluice::cli
