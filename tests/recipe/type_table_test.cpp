// The table of types in OPTIONS.md: what sluice does with each, and who loads it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "recipe/type_facts.h"
#include "sluice/codec.h"

namespace sluice::recipe_test {
namespace {

std::string upper(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string type_table() {
  const auto mark = [](bool yes) { return yes ? "✓" : "–"; };
  std::string table =
      "| type | number | bits | target | source | llama.cpp | ik_llama.cpp |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const Codec& codec : codecs()) {
    const TensorTypeInfo& type = info(codec.type);
    table += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", upper(type.name),
                         static_cast<unsigned>(type.type), bits_per_weight(type.type),
                         mark(codec.encode != nullptr), mark(codec.decode != nullptr),
                         mark(recipe::loads(Mix::llama_cpp, type.type)),
                         mark(recipe::loads(Mix::ik_llama_cpp, type.type)));
  }
  return table;
}

TEST(TypeTable, IsInOptionsMd) {
  const std::string path = SLUICE_SOURCE_DIR "/OPTIONS.md";
  const std::string begin = "<!-- begin: types -->\n";
  std::stringstream document;
  document << std::ifstream(path).rdbuf();
  const std::string text = document.str();
  const std::size_t at = text.find(begin);
  ASSERT_NE(at, text.npos);
  const std::size_t from = at + begin.size();
  const std::size_t end = text.find("<!-- end -->", from);
  ASSERT_NE(end, text.npos);
  if (std::getenv("SLUICE_REWRITE") != nullptr) {
    std::ofstream(path) << text.substr(0, from) << type_table() << text.substr(end);
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), type_table())
      << "SLUICE_REWRITE=1 with this test writes it anew";
}

TEST(TypeFacts, WhoLoadsAType) {
  for (const char* both : {"q4_k", "iq1_m", "mxfp4", "bf16"}) {
    EXPECT_TRUE(recipe::loads(Mix::llama_cpp, find_tensor_type(both)->type)) << both;
    EXPECT_TRUE(recipe::loads(Mix::ik_llama_cpp, find_tensor_type(both)->type)) << both;
  }
  EXPECT_FALSE(recipe::loads(Mix::llama_cpp, TensorType::iq2_kt));
  EXPECT_TRUE(recipe::loads(Mix::ik_llama_cpp, TensorType::iq2_kt));
  for (const TensorType type : {TensorType::tq1_0, TensorType::tq2_0, TensorType::nvfp4}) {
    EXPECT_TRUE(recipe::loads(Mix::llama_cpp, type)) << name(type);
    EXPECT_FALSE(recipe::loads(Mix::ik_llama_cpp, type)) << name(type);
  }
}

}  // namespace
}  // namespace sluice::recipe_test
