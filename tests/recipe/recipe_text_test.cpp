#include "recipe/recipe_text.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

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
  EXPECT_TRUE(holds(type("i2_s"), "does not make"));
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

// What people type, from names of other programs' types and of files on the net.
TEST(RecipeText, UnknownTypesGetTheNearestByMeaning) {
  const auto ends = [](const std::string& text, const std::string& end) {
    EXPECT_TRUE(text.ends_with(end)) << text << " should end with " << end;
  };
  for (const auto& [text, wanted] : std::vector<std::pair<std::string, std::string>>{
           {"Q4_K_XL", "Q4_K_M"}, {"Q5_K_L", "Q5_K_M"},   {"Q3_K_XL", "Q3_K_L"},
           {"IQ1_XS", "IQ1_S"},   {"Q4KM", "Q4_K_M"},     {"Q3KS", "Q3_K_S"},
           {"q4-k-m", "Q4_K_M"},  {"UD-Q2_K_XL", "Q2_K"}, {"i1-IQ1_M", "IQ1_M"},
           {"Q6_K_L", "Q6_K"},    {"Q8_K_XL", "Q8_0"},    {"IQ4XS", "IQ4_XS"},
           {"IQ4NL", "IQ4_NL"},   {"NF4", "IQ4_NL"},      {"IQ3_L", "IQ3_M"},
           {"IQ2_L", "IQ2_M"},    {"IQ4_M", "IQ4_XS"},    {"Q4_K_S_M", "Q4_K_S"},
           {"4bit", "Q4_K_M"},    {"4-bit", "Q4_K_M"},    {"5 bits", "Q5_K_M"},
           {"int4", "Q4_K_M"},    {"int8", "Q8_0"},       {"FP8", "Q8_0"},
           {"8bit", "Q8_0"},      {"q80", "Q8_0"},        {"q41", "Q4_1"},
           {"Q4_2", "Q4_0"},      {"FP4", "MXFP4_MOE"},   {"fp16", "F16"},
           {"BF-16", "BF16"},     {"bfloat16", "BF16"},   {"float32", "F32"},
           {"IQ5_K_S", "Q5_K_S"}, {"Q7_K", "Q6_K"},       {"COYP", "COPY"}}) {
    ends(complaint([&] { parse_file_type(text, Mix::llama_cpp); }),
         " is no file type. Did you mean " + wanted + "?");
  }
  for (const auto& [text, wanted] :
       std::vector<std::pair<std::string, std::string>>{{"q4_k_m", "q4_k"},
                                                        {"Q5_K_XL", "q5_k"},
                                                        {"iq3_m", "iq3_s"},
                                                        {"fp16", "f16"},
                                                        {"int8", "q8_0"},
                                                        {"q3k", "q3_k"},
                                                        {"tq10", "tq1_0"},
                                                        {"q4", "q4_0 or q4_1 or q4_k"}}) {
    ends(complaint([&] { parse_tensor_type(text); }), "Did you mean " + wanted + "?");
  }
  ends(complaint([] { parse_file_type("MXFP4", Mix::llama_cpp); }), "It is called MXFP4_MOE there");
  EXPECT_TRUE(holds(complaint([] { parse_file_type("Q8_KV", Mix::ik_llama_cpp); }),
                    "Choose another, such as Q8_0"));
  EXPECT_TRUE(holds(complaint([] { parse_file_type("Q4", Mix::llama_cpp); }), "Q4_K_M"));
  EXPECT_TRUE(holds(complaint([] { parse_file_type("999", Mix::llama_cpp); }), "is no file type"));
}

TEST(RecipeText, RowInterleavedAndForeignTypesAreRefusedByName) {
  for (const char* name : {"q4_k_r4", "Q8_0_R8", "bf16_r16", "Q4_0_4_8", "IQ4_XS_R8"}) {
    const std::string text = complaint([=] { parse_tensor_type(name); });
    EXPECT_TRUE(holds(text, "row-interleaved") && holds(text, "--repack")) << text;
    EXPECT_EQ(complaint([=] { parse_file_type(name, Mix::ik_llama_cpp); }), text);
  }
  EXPECT_TRUE(holds(complaint([] { parse_tensor_type("IQ2_BN"); }), "does not make"));
}

using Rules = std::vector<std::pair<std::string, TensorType>>;

Rules custom(std::string_view text) {
  Rules rules;
  for (const TypeRule& rule : parse_custom_rules(text)) rules.emplace_back(rule.pattern, rule.type);
  return rules;
}

TEST(RecipeText, RulesForTensorsAreInLowerCase) {
  const std::vector<TypeRule> rules = parse_tensor_rules("Blk\\.0.FFN_down=Q6_K B=f16");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].pattern, "blk\\.0.ffn_down");
  EXPECT_EQ(rules[0].type, TensorType::q6_k);
  EXPECT_EQ(rules[1].pattern, "b");
  EXPECT_EQ(custom("Ffn=iq1_m"), (Rules{{"Ffn", TensorType::iq1_m}}));
}

TEST(RecipeText, RulesMayHaveCommasAndSignsWithinBrackets) {
  EXPECT_EQ(
      custom(R"(blk\.[0-9]{1,2}\.attn=q6_k,[,=]=q8_0,(a,b)=q4_0,(?=a)b=q5_0,c\==f16,\,=q5_1)"),
      (Rules{{R"(blk\.[0-9]{1,2}\.attn)", TensorType::q6_k},
             {"[,=]", TensorType::q8_0},
             {"(a,b)", TensorType::q4_0},
             {"(?=a)b", TensorType::q5_0},
             {R"(c\=)", TensorType::f16},
             {R"(\,)", TensorType::q5_1}}));
}

TEST(RecipeText, RulesAreOnLinesOrBetweenCommasOrBlanks) {
  const Rules wanted = {{"a", TensorType::q8_0}, {"b", TensorType::q4_0}, {"c", TensorType::f16}};
  for (const char* text :
       {"a=q8_0,b=q4_0,c=f16", ",a=q8_0,,b=q4_0,c=f16,", "a=q8_0, b=q4_0 ,\tc=f16 ",
        "a=q8_0\nb=q4_0\nc=f16", "\r\na=q8_0\r\n\r\n  b=q4_0,\r\n,c=f16\r\n",
        "a=q8_0\rb=q4_0\rc=f16", "a=q8_0 b=q4_0  c=f16",
        "\ufeff# all\na=q8_0\n  ## more=q2_k, d=q8_0\nb=q4_0 # why\n#\nc=f16",
        "a=q8_0,# first\nb=q4_0,c=f16"}) {
    EXPECT_EQ(custom(text), wanted) << text;
    EXPECT_EQ(parse_tensor_rules(text).size(), wanted.size()) << text;
  }
}

// A rule that became part of another's pattern would match nothing.
TEST(RecipeText, WhatIsNoRuleIsRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "no rule"},
      {",", "no rule"},
      {"# blk=q8_0,b=q6_k", "no rule"},
      {"a", "'a'"},
      {"=", "'='"},
      {"a=", "'a='"},
      {"=q8_0", "'=q8_0'"},
      {"a=q8_0,b", "'b'"},
      {"a=q8_0 # one,b=q6_k", "'# one,b=q6_k'"},
      {"a=q8_0,# one,b=q6_k", "'# one,b=q6_k'"},
      {"a=q8_0,one,b=q6_k", "'one'"},
      {"a = q8_0", "'a'"},
      {"a =q8_0", "'a'"},
      {"a=q8_0;b=q6_k", "'a=q8_0;b=q6_k'"},
      {"a=q8_0=q6_k", "'a=q8_0=q6_k'"},
      {R"(a=q8_0\nb=q6_k)", R"('a=q8_0\nb=q6_k')"},
      {"a=q8_0 \\\nb=q6_k", "'\\'"},
      {"'a=q8_0'", "''a=q8_0''"},
      {"\"a=q8_0,b=q6_k\"", "'\"a=q8_0'"},
      {"a=q8_0,\u00a0b=q6_k", "no-break space"},
      {"a=q8_0,b=q9_k", "rule 'b=q9_k'"},
      {"a=q8_0,b=iq2_bn", "rule 'b=iq2_bn'"},
      {"blk.(0|1=q8_0,b=q6_k", "rule 'blk.(0|1=q8_0,b=q6_k'"},
      {"a[=q8_0", "rule 'a[=q8_0'"}};
  for (const auto& [text, named] : wrong) {
    EXPECT_TRUE(holds(complaint([&] { parse_custom_rules(text); }), named)) << text;
    EXPECT_TRUE(holds(complaint([&] { parse_tensor_rules(text); }), named)) << text;
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
