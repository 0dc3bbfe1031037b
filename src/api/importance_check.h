#pragma once

#include "api/prepared.h"
#include "sluice/observer.h"

namespace sluice {

/// Looks at all importance values that the plan uses, and notes how many rows are zero.
/// \throws Error (imatrix_format) if one is no finite number of zero or more
void check_importance(const Prepared& prepared, Observer& observer);

}  // namespace sluice
