// The file of measurements: what is kept comes back, and nothing else is taken for it.

#include "measure/measurements.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice::measure {
namespace {

Measurements some_measurements() {
  Measurements measurements{.binding = 0xfedcba9876543210,
                            .method = "a method \"in words\"",
                            .divergence_per_change = 6.1e-5};
  measurements.tensors["blk.0.ffn_up.weight"] = {
      .errors = {{TensorType::iq1_m, 0.1}, {TensorType::q6_k, 1.0 / 3e7}},
      .gain = 0.7,
      .power = 12.5,
      .typical_power = 11};
  measurements.tensors["an \"odd\"\nname"] = {};
  return measurements;
}

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ErrorCode code_of_loading(const std::string& file) {
  try {
    load(file, 1);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
    return error.code();
  }
  ADD_FAILURE() << "nothing is wrong";
  return ErrorCode::usage;
}

class MeasurementsFile : public testing::Test {
 protected:
  const testing_support::TempFolder folder_;
  const std::string file_ = folder_ / "model.measurements";
};

TEST_F(MeasurementsFile, BringsBackEachBitOfWhatWasKept) {
  const Measurements kept = some_measurements();
  save(kept, file_);
  const std::optional<Measurements> found = load(file_, kept.binding);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->binding, kept.binding);
  EXPECT_EQ(found->method, kept.method);
  EXPECT_EQ(found->divergence_per_change, kept.divergence_per_change);
  ASSERT_EQ(found->tensors.size(), kept.tensors.size());
  for (const auto& [name, measures] : kept.tensors) {
    const TensorMeasures& back = found->tensors.at(name);
    EXPECT_EQ(back.errors, measures.errors) << name;
    EXPECT_EQ(back.gain, measures.gain) << name;
    EXPECT_EQ(back.power, measures.power) << name;
    EXPECT_EQ(back.typical_power, measures.typical_power) << name;
  }
}

TEST_F(MeasurementsFile, GivesADivergenceOnlyOfWhatWasMeasured) {
  const Measurements kept = some_measurements();
  EXPECT_EQ(kept.divergence("blk.0.ffn_up.weight", TensorType::iq1_m), 6.1e-5 * 0.7 * 0.1);
  EXPECT_FALSE(kept.divergence("blk.0.ffn_up.weight", TensorType::q4_k));
  EXPECT_FALSE(kept.divergence("blk.1.ffn_up.weight", TensorType::iq1_m));
}

TEST_F(MeasurementsFile, IsReplacedAndLeavesNothingBeside) {
  Measurements kept = some_measurements();
  save(kept, file_);
  kept.divergence_per_change = 1;
  save(kept, file_);
  EXPECT_EQ(load(file_, kept.binding)->divergence_per_change, 1);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_ / "")) {
    ++files;
  }
  EXPECT_EQ(files, 1u);
}

TEST_F(MeasurementsFile, OfAnotherModelOrNoneAtAllKnowsNothing) {
  EXPECT_FALSE(load(file_, 1));
  save(some_measurements(), file_);
  EXPECT_FALSE(load(file_, some_measurements().binding + 1));
  write(file_, "");
  EXPECT_FALSE(load(file_, 1));
}

TEST_F(MeasurementsFile, WhatIsNoneIsRefusedAndNotTouched) {
  for (const char* text : {"# a recipe\n", "[]", "{}", R"({"kind": "another"})"}) {
    write(file_, text);
    EXPECT_EQ(code_of_loading(file_), ErrorCode::input_format) << text;
    EXPECT_EQ(text_of_file(file_), text);
  }
  save(some_measurements(), file_);
  const std::string whole = text_of_file(file_);
  write(file_, whole.substr(0, whole.size() / 2));
  EXPECT_EQ(code_of_loading(file_), ErrorCode::input_format);
}

TEST_F(MeasurementsFile, NumbersThatAreNoneAreRefused) {
  Measurements kept = some_measurements();
  kept.binding = 1;
  save(kept, file_);
  const std::string whole = text_of_file(file_);
  for (const auto& [from, to] : {std::pair("0.7", "-0.7"), std::pair("0.7", "null"),
                                 std::pair("12.5", "\"12.5\""), std::pair("iq1_m", "iq1_x")}) {
    std::string text = whole;
    text.replace(text.find(from), std::string(from).size(), to);
    write(file_, text);
    EXPECT_EQ(code_of_loading(file_), ErrorCode::input_format) << to;
  }
}

}  // namespace
}  // namespace sluice::measure
