// Headers whose numbers anybody may have written: a model is run, or refused with an error; nothing
// else happens.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "model/runs.h"
#include "sluice/error.h"

namespace sluice::model_tests {
namespace {

using testing_support::GgufWeights;

std::vector<gguf::Value> odd_values(const gguf::Value& value) {
  if (value.as_uint()) {
    return {gguf::Value::of(0u),       gguf::Value::of(1u),          gguf::Value::of(7u),
            gguf::Value::of(1u << 20), gguf::Value::of(0xffffffffu), gguf::Value::of(-1)};
  }
  if (value.as_float()) {
    return {gguf::Value::of(0.0f), gguf::Value::of(-1.0f), gguf::Value::of(NAN),
            gguf::Value::of(1e30f)};
  }
  if (value.as_string()) return {gguf::Value::of("none"), gguf::Value::of("yarn")};
  return {gguf::Value::of("no truth value")};
}

enum class Outcome { ran, refused };

Outcome run_with(const gguf::Header& header, GgufWeights& weights) {
  constexpr std::uint64_t kMemory = std::uint64_t{1} << 28;
  const model::Tokens tokens = random_tokens(2, 5);
  try {
    const model::Network network = model::Network::of(header, "odd.gguf");
    run(network, weights, tokens, {.memory = kMemory});
    return Outcome::ran;
  } catch (const Error& error) {
    EXPECT_FALSE(std::string(error.what()).empty());
    return Outcome::refused;
  }
}

class OddNumbers : public testing::TestWithParam<testing_support::RandomFamily> {};

TEST_P(OddNumbers, AreRunOrRefused) {
  GgufWeights weights(GetParam().build());
  const std::string own = weights.header().find("general.architecture")->as_string().value() + ".";
  std::size_t refused = 0;
  std::size_t ran = 0;
  for (const gguf::KeyValue& entry : weights.header().metadata) {
    if (!entry.key.starts_with(own)) continue;
    for (const gguf::Value& value : odd_values(entry.value)) {
      SCOPED_TRACE(entry.key);
      gguf::Header header = weights.header();
      header.set(entry.key, value);
      ++(run_with(header, weights) == Outcome::ran ? ran : refused);
    }
  }
  EXPECT_GT(refused, 20u);
  EXPECT_GT(ran, 0u);
}

std::string odd_name(const testing::TestParamInfo<testing_support::RandomFamily>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Families, OddNumbers,
                         testing::ValuesIn(testing_support::all_random_families()), odd_name);

}  // namespace
}  // namespace sluice::model_tests
