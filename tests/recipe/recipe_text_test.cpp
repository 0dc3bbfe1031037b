#include "recipe/recipe_text.h"

#include <gtest/gtest.h>

#include <functional>

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

}  // namespace
}  // namespace sluice
