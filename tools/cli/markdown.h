#pragma once

#include <string>

namespace sluice::cli {

/// A table of options for each heading, as OPTIONS.md has them.
std::string option_tables();

}  // namespace sluice::cli
