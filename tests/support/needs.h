#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace sluice::testing_support {

/// Whether the environment says that this is continuous integration.
inline bool in_ci() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string(ci) == "true";
}

}  // namespace sluice::testing_support

/// Ends a test for which the machine lacks something: skipped, with a text that says what, and with
/// CI=true failed, for there nobody reads what was skipped.
#define SLUICE_NEEDS(condition, what)                           \
  GTEST_AMBIGUOUS_ELSE_BLOCKER_                                 \
  if (condition)                                                \
    ;                                                           \
  else if (sluice::testing_support::in_ci())                    \
    GTEST_FAIL() << "in CI nothing may be missing: " << (what); \
  else                                                          \
    GTEST_SKIP() << (what)
