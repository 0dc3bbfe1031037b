// What `help types` tells, against the peers' types and the table of measurements.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <string>

#include "recipe/model.h"
#include "sluice/codec.h"
#include "support/process.h"

namespace sluice {
namespace {

std::string help_on_types() {
  return testing_support::run({SLUICE_PROGRAM, "help", "types"}).out;
}

/// The line on a file type, with blanks in front.
std::string line_of(const std::string& help, std::string_view file_type) {
  std::smatch found;
  const std::regex line(fmt::format("\n  {} +([^\n]*)", file_type));
  return std::regex_search(help, found, line) ? found[1].str() : "";
}

// That these are the types that the peers give is for tests/recipe to see to.
double bits_of_mix(const FileType& file_type, const gguf::Header& model) {
  const ChosenTypes chosen = choose_types(
      {.mix = file_type.in_llama_cpp ? Mix::llama_cpp : Mix::ik_llama_cpp, .file_type = &file_type},
      model);
  double bits = 0;
  double weights = 0;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const auto elements = static_cast<double>(model.tensors[i].elements());
    bits += elements * bits_per_weight(chosen.tensors[i].type);
    weights += elements;
  }
  return bits / weights;
}

TEST(TypeFacts, BitsAreThoseOfTheMix) {
  const std::string help = help_on_types();
  const gguf::Header model = recipe_test::read_map("mistral-7b").model;
  for (const FileType& type : file_types()) {
    const Codec* const codec = find_codec(type.type);
    if (type.copy || codec == nullptr || codec->encode == nullptr) continue;
    const std::string line = line_of(help, type.name);
    EXPECT_EQ(line.find(fmt::format("{:.2f} bits", bits_of_mix(type, model))), 0u)
        << type.name << " " << bits_of_mix(type, model) << ": " << line;
    EXPECT_NE(line.find(fmt::format("bulk {} with", name(type.type))), std::string::npos) << line;
    EXPECT_EQ(line.find("ik_llama.cpp only") != std::string::npos, !type.in_llama_cpp) << line;
    EXPECT_EQ(line.find("llama.cpp's mix only") != std::string::npos, !type.in_ik_llama_cpp)
        << line;
  }
}

TEST(TypeFacts, DivergenceIsAsMeasured) {
  const std::string help = help_on_types();
  std::ifstream file(SLUICE_SOURCE_DIR "/bench/README.md");
  const std::regex row(R"(\| (I?Q\w+) \| 0[0-9.]+ \| \**(0[0-9.]+)\** \|( [*0-9.]+ \|){6})");
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, row)) continue;
    ++rows;
    const std::string wanted = fmt::format("divergence {},", std::stod(found[2].str()));
    EXPECT_NE(line_of(help, found[1].str()).find(wanted), std::string::npos) << found[1] << wanted;
  }
  EXPECT_EQ(rows, 12);
}

}  // namespace
}  // namespace sluice
