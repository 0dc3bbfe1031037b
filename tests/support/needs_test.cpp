// What a machine lacks is told: skipped, and failed in CI.

#include "support/needs.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace {

/// Sets CI for a while.
class InCi {
 public:
  explicit InCi(const char* value) {
    if (const char* before = std::getenv("CI")) before_ = before;
    value != nullptr ? ::setenv("CI", value, 1) : ::unsetenv("CI");
  }
  ~InCi() { before_ ? ::setenv("CI", before_->c_str(), 1) : ::unsetenv("CI"); }
  InCi(const InCi&) = delete;
  InCi& operator=(const InCi&) = delete;

 private:
  std::optional<std::string> before_;
};

/// How a test ends that needs something: nothing where it goes on.
std::optional<testing::TestPartResult> result_of_need(bool there) {
  testing::TestPartResultArray results;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(&results);
    [there] { SLUICE_NEEDS(there, "no such thing here"); }();
  }
  if (results.size() == 0) return std::nullopt;
  return results.GetTestPartResult(0);
}

TEST(Needs, WhatIsMissingIsSkippedAndNamed) {
  const InCi not_in_ci(nullptr);
  const auto result = result_of_need(false);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->skipped());
  EXPECT_STREQ(result->message(), "no such thing here");
}

TEST(Needs, WhatIsMissingInCiIsAFailure) {
  const InCi in_ci("true");
  const auto result = result_of_need(false);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(result->fatally_failed());
  EXPECT_NE(std::string(result->message()).find("no such thing here"), std::string::npos);
}

TEST(Needs, WhatIsThereIsNotTold) {
  const InCi in_ci("true");
  EXPECT_FALSE(result_of_need(true).has_value());
}

}  // namespace
