#include "recipe/recipe_text.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <regex>

#include "recipe/pattern.h"
#include "recipe/required_text.h"
#include "sluice/error.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

std::string complaint(const std::function<void()>& parse) {
  try {
    parse();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage) << error.what();
    return error.what();
  }
  return "";
}

TEST(RecipeText, TypesInAnyLetterCase) {
  EXPECT_EQ(parse_tensor_type("Q4_K"), TensorType::q4_k);
  EXPECT_EQ(parse_tensor_type("iq1_m"), TensorType::iq1_m);
  EXPECT_EQ(parse_file_type("iq3_m", Mix::llama_cpp).number, 27u);
  EXPECT_EQ(parse_file_type("38", Mix::ik_llama_cpp).name, "MXFP4");
}

TEST(RecipeText, UnknownTypesGetTheNearestName) {
  const auto type = [](const char* text) { return complaint([=] { parse_tensor_type(text); }); };
  EXPECT_TRUE(type("q4_kk").ends_with("Did you mean q4_k?"));
  EXPECT_TRUE(type("IQ2XXS").ends_with("Did you mean iq2_xxs?"));
  EXPECT_TRUE(type("q8").ends_with("Did you mean q8_0?"));
  EXPECT_TRUE(type("Q4").ends_with("Did you mean q4_0 or q4_1 or q4_k?"));
  EXPECT_TRUE(holds(type("nvfp4"), "does not make"));
  EXPECT_TRUE(holds(type("i32"), "does not make"));
  EXPECT_TRUE(holds(type("zzzzzzzzzz"), "Known are f32 f16"));
  EXPECT_FALSE(holds(type("zzzzzzzzzz"), "i32"));
  EXPECT_TRUE(holds(type(""), "Known are"));
  EXPECT_LT(type(std::string(100000, 'q').c_str()).size(), 1000u);
  const auto file_type = [](const char* text, Mix mix) {
    return complaint([=] { parse_file_type(text, mix); });
  };
  EXPECT_TRUE(file_type("Q4_KM", Mix::llama_cpp).ends_with("Did you mean Q4_K_M?"));
  EXPECT_TRUE(holds(file_type("IQ4_K", Mix::llama_cpp), "--mix ik_llama.cpp"));
  EXPECT_EQ(file_type("140", Mix::llama_cpp), file_type("IQ4_K", Mix::llama_cpp));
  EXPECT_TRUE(holds(file_type("TQ1_0", Mix::ik_llama_cpp), "--mix llama.cpp"));
}

TEST(RecipeText, RowInterleavedAndForeignTypesAreRefusedByName) {
  for (const char* name : {"iq1_m_r4", "Q8_0_R8", "bf16_r16", "Q4_0_4_8", "IQ4_XS_R8"}) {
    const std::string text = complaint([=] { parse_tensor_type(name); });
    EXPECT_TRUE(holds(text, "row-interleaved") && holds(text, "--repack")) << text;
    EXPECT_EQ(complaint([=] { parse_file_type(name, Mix::ik_llama_cpp); }), text);
  }
  EXPECT_TRUE(holds(complaint([] { parse_tensor_type("IQ4_KS"); }), "does not make"));
}

TEST(RecipeText, RulesForTensors) {
  const TypeRule rule = parse_tensor_rule("Blk\\.0.FFN_down=Q6_K");
  EXPECT_EQ(rule.pattern, "blk\\.0.ffn_down");
  EXPECT_EQ(rule.type, TensorType::q6_k);
  EXPECT_EQ(parse_tensor_rule("(?=a)b=q8_0").pattern, "(?=a)b");
  const auto rules = parse_tensor_rules("  a=q8_0\n\tb=q4_0\r\n\n c=f16 ");
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[2].pattern, "c");
  EXPECT_TRUE(parse_tensor_rules(" \n").empty());
  for (const char* wrong : {"", "a", "=", "a=", "=q8_0", "a=q8", "(=q8_0", "a b=q8_0x"}) {
    EXPECT_NE(complaint([=] { parse_tensor_rule(wrong); }), "") << wrong;
  }
}

TEST(RecipeText, CustomRulesMayHaveCommasInTheirPatterns) {
  const auto rules = parse_custom_rules(R"(blk\.[0-9]{1,2}\.attn=q6_k,Ffn=iq1_m)");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].pattern, R"(blk\.[0-9]{1,2}\.attn)");
  EXPECT_EQ(rules[1].pattern, "Ffn");
  EXPECT_EQ(rules[1].type, TensorType::iq1_m);
  EXPECT_EQ(parse_custom_rules("a=q8_0,").size(), 1u);
  for (const char* wrong : {"", ",", "a", "a=q8_0,b", "a=q8_0,,b=q8", "a=q8_0,=q8_0"}) {
    EXPECT_NE(complaint([=] { parse_custom_rules(wrong); }), "") << wrong;
  }
}

testing_support::Bytes as_bytes(std::string_view text) {
  testing_support::Bytes bytes;
  testing_support::put_bytes(bytes, text.data(), text.size());
  return bytes;
}

TEST(RecipeText, RulesFromAFileNameItInErrors) {
  const testing_support::TempFolder folder;
  const std::string path = folder / "types.txt";
  testing_support::write_file(path, as_bytes("a=q8_0\nb=q6_k\n"));
  EXPECT_EQ(read_tensor_rules(path).size(), 2u);
  testing_support::write_file(path, as_bytes("a=q8_0\nb=q6\n"));
  EXPECT_TRUE(holds(complaint([&] { read_tensor_rules(path); }), path));
  EXPECT_THROW(read_tensor_rules(folder / "none.txt"), Error);
  EXPECT_THROW(read_tensor_rules(folder / "."), Error);
}

TEST(Pattern, FindsAsThePeersDo) {
  struct Case {
    const char* pattern;
    const char* name;
    bool found;
  };
  for (const Case& c : {
           Case{"ffn_down", "blk.12.ffn_down_exps.weight", true},
           Case{R"(^blk\.([0-9]|1[0-2])\.ffn)", "blk.12.ffn_up.weight", true},
           Case{R"(^blk\.([0-9]|1[0-2])\.ffn)", "blk.13.ffn_up.weight", false},
           Case{R"(\.(\d*[13579])\.attn_k)", "blk.17.attn_k.weight", true},
           Case{R"(\.(\d*[13579])\.attn_k)", "blk.18.attn_k.weight", false},
           Case{"^output\\.weight$", "blk.0.attn_output.weight", false},
           Case{"^(?!.*exps).*ffn", "blk.0.ffn_up_exps.weight", false},
           Case{"^(?!.*exps).*ffn", "blk.0.ffn_up.weight", true},
           Case{"[[:digit:]]{2}", "blk.12.ffn", true},
           Case{"attn_[qk]|ffn_(?:up|gate)", "blk.0.ffn_gate.weight", true},
       }) {
    EXPECT_EQ(recipe::Pattern(c.pattern).found_in(c.name), c.found) << c.pattern << " " << c.name;
  }
}

TEST(Pattern, RequiresTextThatIsEvident) {
  const std::map<std::string, std::string> texts = {
      {R"(^blk\.12\.ffn_up\.weight$)", "blk.12.ffn_up.weight"},
      {R"(blk\.(0|1)\.ffn_down)", ".ffn_down"},
      {R"(\.\d+\.attn_(q|k))", ".attn_"},
      {"attn_q|ffn", ""},
      {"(attn_q|ffn)", ""},
      {"abc*d", "ab"},
      {"ab+cd", "ab"},
      {"a{2,3}bc", "bc"},
      {"[a-z_[:digit:]]xy", "xy"},
      {R"(\x41bcdef)", ""},
      {"(?!abcdef)ab", "ab"}};
  for (const auto& [pattern, text] : texts) {
    EXPECT_EQ(recipe::required_text(pattern), text) << pattern;
  }
}

// Short patterns and names of few letters, against the library's other algorithm, backtracking.
TEST(Pattern, FindsWhatBacktrackingFinds) {
  std::mt19937 random(20260915);
  const auto draw = [&](std::string_view letters, std::size_t most) {
    std::string text(1 + random() % most, ' ');
    for (char& c : text) c = letters[random() % letters.size()];
    return text;
  };
  std::size_t accepted = 0;
  std::size_t found = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string pattern = draw(R"(aaabb.\*+?()|[]^$1-)", 9);
    std::optional<std::regex> backtracking;
    try {
      backtracking.emplace(pattern, std::regex::ECMAScript);
    } catch (const std::regex_error&) {
      EXPECT_THROW(recipe::Pattern{pattern}, Error) << pattern;
      continue;
    }
    std::optional<recipe::Pattern> ours;
    try {
      ours.emplace(pattern);
    } catch (const Error&) {
      continue;  // back-references
    }
    ++accepted;
    for (int j = 0; j < 5; ++j) {
      const std::string name = draw("aab.1-", 8);
      const bool expected = std::regex_search(name, *backtracking);
      found += expected ? 1 : 0;
      EXPECT_EQ(ours->found_in(name), expected) << pattern << " in " << name;
    }
  }
  EXPECT_GT(accepted, 1000u);
  EXPECT_GT(found, 1000u);
}

TEST(Pattern, OfHarmIsRefusedOrMatchedInNoTime) {
  const std::string name(1000, 'a');  // backtracking would take longer than the universe has
  EXPECT_FALSE(recipe::Pattern("(a+)+$b").found_in(name));
  EXPECT_FALSE(recipe::Pattern("(a|aa)+b").found_in(name));
  EXPECT_FALSE(recipe::Pattern("(.*.*.*.*)*b").found_in(name));
  for (const std::string& pattern :
       {std::string(), std::string("["), std::string("("), std::string("a{2"), std::string("*a"),
        std::string("(a)\\1"), "(a)\\" + std::string(40, '7'), std::string("x{100000}"),
        std::string("(((a{50}){50}){50}){50}"), std::string("a{99999999999999999999}"),
        std::string("a{,}{5000}"), std::string(100000, '('), std::string(100000, 'a'),
        std::string("(?=(?=(?=(?=a))))")}) {
    const std::string text = complaint([&] { recipe::Pattern{pattern}; });
    EXPECT_FALSE(text.empty()) << pattern;
    EXPECT_LT(text.size(), 400u);
  }
}

}  // namespace
}  // namespace sluice
