#pragma once

#include <string>

#include "sluice/compare.h"
#include "sluice/observer.h"

namespace sluice::cli {

/// Lines on the error of all quantized weights together, and on the worst tensors. Empty if nothing
/// was quantized.
std::string error_text(const RunReport& report);

/// The same of what a comparison measured. Empty if nothing differs.
std::string error_text(const Comparison& comparison);

}  // namespace sluice::cli
