#pragma once

#include <CLI/CLI.hpp>

namespace sluice::cli {

/// Refuses what is no plain number: CLI11 takes -1 for the largest size that there is, and nan for
/// a number within any range.
CLI::Validator begins_with_digit();

}  // namespace sluice::cli
