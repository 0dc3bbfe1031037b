// Ids of special tokens, and whether they are added, from all files that say something of them.

#include <gtest/gtest.h>

#include "tokenizer/checkpoint_files.h"

namespace sluice::tokenizer {
namespace {

using nlohmann::json;

json special(const std::string& text) {
  return {{"SpecialToken", {{"id", text}, {"type_id", 0}}}};
}
json sequence(const std::string& name) {
  return {{"Sequence", {{"id", name}, {"type_id", 0}}}};
}
json around(json single, json pair = json::array()) {
  return {{"type", "TemplateProcessing"}, {"single", std::move(single)}, {"pair", std::move(pair)}};
}

/// Tokens <a> to <f>, special, with ids from 10.
struct Special {
  Special() {
    for (int i = 0; i < 6; ++i) {
      const std::string text = {'<', static_cast<char>('a' + i), '>'};
      tokenizer["added_tokens"].push_back({{"id", 10 + i}, {"content", text}, {"special", true}});
    }
    tokenizer["model"] = {{"type", "BPE"}, {"vocab", {{"a", 0}}}, {"merges", {"a b"}}};
    files.pre = "gpt-2";
  }

  Tokenizer read() {
    files.texts["tokenizer.json"] = tokenizer.dump();
    files.texts["config.json"] = config.dump();
    if (has_tokenizer_config) files.texts["tokenizer_config.json"] = tokenizer_config.dump();
    return files.read();
  }

  json tokenizer;
  json tokenizer_config = json::object();
  json config = json::object();
  bool has_tokenizer_config = true;
  CheckpointFiles files;
};

TEST(SpecialTokens, TextsOfTokenizerConfigGoBeforeIdsOfConfig) {
  Special s;
  s.tokenizer_config = {
      {"bos_token", "<a>"},           {"eos_token", {{"content", "<b>"}}}, {"unk_token", nullptr},
      {"pad_token", "no such token"}, {"mask_token", {{"content", 5}}},    {"sep_token", "<c>"}};
  s.config = {{"bos_token_id", 15},
              {"unk_token_id", 13},
              {"pad_token_id", 14},
              {"eos_token_id", {14}},
              {"mask_token_id", true}};
  const Tokenizer read = s.read();
  EXPECT_EQ(id(read, "bos"), 10u);
  EXPECT_EQ(id(read, "eos"), 11u);
  EXPECT_EQ(id(read, "seperator"), 12u) << "as GGUF spells it";
  EXPECT_EQ(id(read, "unknown"), 13u);
  EXPECT_EQ(id(read, "padding"), 14u) << "the text is none of a token";
  EXPECT_EQ(id(read, "mask"), std::nullopt);
}

TEST(SpecialTokens, ListsAndIdsThatAreNoneSayNothing) {
  Special s;
  s.config = {{"bos_token_id", {10, 11}},
              {"eos_token_id", -1},
              {"pad_token_id", 10.0},
              {"unk_token_id", "12"},
              {"mask_token_id", 1u << 31}};
  const Tokenizer read = s.read();
  for (const char* role : {"bos", "eos", "padding", "unknown", "mask"}) {
    EXPECT_EQ(id(read, role), std::nullopt) << role;
  }
  ASSERT_EQ(read.notes.size(), 1u);
  EXPECT_NE(read.notes[0].find("mask"), std::string::npos) << "beyond the tokens";
}

TEST(SpecialTokens, IdsOfATextModelWithinAnother) {
  Special s;
  s.config = {{"eos_token_id", 11}, {"text_config", {{"bos_token_id", 10}, {"eos_token_id", 15}}}};
  const Tokenizer read = s.read();
  EXPECT_EQ(id(read, "bos"), 10u);
  EXPECT_EQ(id(read, "eos"), 11u) << "the outer one counts";
}

TEST(SpecialTokens, ATemplateSaysWhatIsAdded) {
  Special s;
  s.tokenizer_config = {{"bos_token", {{"content", "<a>"}}}, {"eos_token", "<b>"}};
  s.tokenizer["post_processor"] =
      around({special("<a>"), sequence("A"), special("<b>")},
             {special("<a>"), sequence("A"), special("<b>"), sequence("B"), special("<b>")});
  Tokenizer read = s.read();
  EXPECT_EQ(flag(read, "add_bos_token"), true) << "though bos_token is no plain text";
  EXPECT_EQ(flag(read, "add_eos_token"), true);
  EXPECT_EQ(flag(read, "add_sep_token"), false) << "eos ends each text";

  s.tokenizer_config["add_bos_token"] = false;
  s.tokenizer_config["add_eos_token"] = "yes";
  read = s.read();
  EXPECT_EQ(flag(read, "add_bos_token"), false) << "tokenizer_config.json wins";
  EXPECT_EQ(flag(read, "add_eos_token"), true) << "if it says yes or no";

  s.tokenizer["post_processor"] = {
      {"type", "Sequence"},
      {"processors",
       {{{"type", "ByteLevel"}},
        around({special("<f>"), sequence("A")},
               {special("<f>"), sequence("A"), special("<c>"), sequence("B")})}}};
  s.tokenizer_config = {{"bos_token", "<a>"}, {"sep_token", "<c>"}};
  read = s.read();
  EXPECT_EQ(flag(read, "add_bos_token"), false) << "another token than bos";
  EXPECT_EQ(flag(read, "add_eos_token"), std::nullopt);
  EXPECT_EQ(flag(read, "add_sep_token"), true);
}

TEST(SpecialTokens, ATextThatEndsInAnotherTokenThanATurn) {
  Special s;
  s.tokenizer_config = {{"eos_token", "<b>"}};
  s.tokenizer["post_processor"] = around({sequence("A"), special("<c>")});
  const Tokenizer read = s.read();
  EXPECT_EQ(id(read, "eos"), 12u);
  EXPECT_EQ(id(read, "eot"), 11u);
  EXPECT_EQ(flag(read, "add_eos_token"), true);
}

TEST(SpecialTokens, WithoutTokenizerConfigTheTemplatesTokensAreBosAndEos) {
  Special s;
  s.has_tokenizer_config = false;
  s.tokenizer["post_processor"] = around({special("<a>"), sequence("A"), special("<b>")});
  s.config = {{"bos_token_id", 10}};
  const Tokenizer read = s.read();
  EXPECT_EQ(flag(read, "add_bos_token"), true);
  EXPECT_EQ(flag(read, "add_eos_token"), true);
  EXPECT_EQ(id(read, "bos"), 10u);
}

TEST(SpecialTokens, TemplatesThatAreNone) {
  for (const json& broken :
       {json(5), json{{"type", "TemplateProcessing"}}, around(json("<a>")), around({1, 2}),
        around({sequence("A")}, {1}), around({special("<a>"), special("<a>")}, {special("<a>")}),
        around({special("<a>"), special("<b>")}, {special("<a>"), special("<b>")}),
        around({sequence("A"), sequence("A")}, {sequence("A"), sequence("A"), sequence("A")}),
        json{{"type", "Sequence"}, {"processors", {1, nullptr, "x"}}}}) {
    Special s;
    s.tokenizer["post_processor"] = broken;
    EXPECT_EQ(s.read().tokens, 16u) << broken;
  }
}

TEST(SpecialTokens, LlamaBpeAddsBosUnlessTheFilesSayThatNothingIsAdded) {
  Special s;
  s.files.pre = "llama-bpe";
  s.tokenizer_config = {{"bos_token", "<a>"}, {"tokenizer_class", "PreTrainedTokenizerFast"}};
  EXPECT_EQ(flag(s.read(), "add_bos_token"), false);
  s.tokenizer_config["tokenizer_class"] = "LlamaTokenizerFast";
  EXPECT_EQ(flag(s.read(), "add_bos_token"), std::nullopt) << "which adds it by itself";
  s.tokenizer_config["add_bos_token"] = true;
  EXPECT_EQ(flag(s.read(), "add_bos_token"), true);
  s.files.pre = "qwen2";
  s.tokenizer_config = json::object();
  EXPECT_EQ(flag(s.read(), "add_bos_token"), std::nullopt);
}

TEST(SpecialTokens, LlamasPrefixSpaceAndSizes) {
  Special s;
  s.tokenizer_config = {{"add_prefix_space", true}};
  s.files.model = {"qwen2", 32016};
  EXPECT_EQ(flag(s.read(), "add_space_prefix"), std::nullopt);
  EXPECT_EQ(id(s.read(), "prefix"), std::nullopt);
  s.files.model = {"llama", 32016};
  const Tokenizer code_llama = s.read();
  EXPECT_EQ(flag(code_llama, "add_space_prefix"), true);
  EXPECT_EQ(id(code_llama, "prefix"), 32007u);
  EXPECT_EQ(id(code_llama, "suffix"), 32008u);
  EXPECT_EQ(id(code_llama, "middle"), 32009u);
  EXPECT_EQ(id(code_llama, "eot"), 32010u);
  s.tokenizer_config = {{"add_bos_token", true}};
  s.files.model = {"llama", 49152};
  EXPECT_EQ(flag(s.read(), "add_bos_token"), false) << "Granite";
}

}  // namespace
}  // namespace sluice::tokenizer
