#pragma once

#include <string>

#include "sluice/verify.h"

namespace sluice::cli {

/// Checks an output and prints what was found: a summary, or the first findings and their number.
/// \param report  where to write all of it as JSON; empty: nowhere
/// \returns the exit status: 0, or that of output_damaged
/// \throws Error
int run_verify(const VerifyOptions& options, const std::string& report);

}  // namespace sluice::cli
