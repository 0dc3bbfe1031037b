#pragma once

#include "sluice/imatrix.h"

namespace sluice::cli {

/// What to do, and how to tell of it.
struct ImatrixArguments {
  ImatrixOptions options;
  bool json = false;
};

/// Makes an importance matrix and prints what it is of, and which experts saw few tokens.
/// \throws Error
void run_imatrix(const ImatrixArguments& arguments);

}  // namespace sluice::cli
