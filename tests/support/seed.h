#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace sluice::testing_support {

/// The seed of a test that is another in each run. It is printed, and SLUICE_SEED sets it, so that
/// what failed can be repeated.
/// \throws std::exception if SLUICE_SEED is no number
inline std::uint32_t random_seed() {
  const char* given = std::getenv("SLUICE_SEED");
  const auto seed = given != nullptr ? static_cast<std::uint32_t>(std::stoul(given))
                                     : static_cast<std::uint32_t>(std::random_device{}());
  std::printf("SLUICE_SEED=%u repeats this\n", seed);
  testing::Test::RecordProperty("seed", std::to_string(seed));
  return seed;
}

}  // namespace sluice::testing_support
