#pragma once

#include <optional>
#include <string>

#include "sluice/compare.h"

namespace sluice::cli {

struct CompareArguments {
  CompareOptions options;
  std::optional<double> max_error;  ///< more in any tensor is a failure
  std::string page;                 ///< HTML file to write; empty: none
  bool json = false;
};

/// Compares two models and prints each tensor's error.
/// \returns the exit status: 0; 1 if a tensor is on one side only, has another shape or cannot be
///          compared, or has a larger error than was allowed
/// \throws Error
int run_compare(const CompareArguments& arguments);

}  // namespace sluice::cli
