#pragma once

#include <string>

#include "sluice/quantize.h"

namespace sluice::cli {

struct RecipeArguments {
  QuantizeOptions options;
  std::string output;  ///< file of rules to make; empty: stdout
  std::string page;    ///< to look at; empty: none
  bool json = false;   ///< what was chosen in place of rules
};

/// Chooses the best types for a size, and prints or writes them as rules. \throws Error
void run_recipe(const RecipeArguments& arguments);

}  // namespace sluice::cli
