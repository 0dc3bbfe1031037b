#pragma once

#include <string>

#include "sluice/mix_choice.h"

namespace sluice::cli {

/// What was chosen for a size, beside the default mix that is nearest, in a line.
std::string choice_text(const MixChoice& choice);

}  // namespace sluice::cli
