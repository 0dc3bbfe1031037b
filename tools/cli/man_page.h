#pragma once

#include <string>
#include <vector>

#include "command_facts.h"

namespace sluice::cli {

/// The manual page sluice(1), in roff with the man macros.
std::string man_page();

}  // namespace sluice::cli
