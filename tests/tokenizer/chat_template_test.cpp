// Chat templates: where they stand, and several with names.

#include <gtest/gtest.h>

#include "tokenizer/checkpoint_files.h"

namespace sluice::tokenizer {
namespace {

const std::string kKey = "tokenizer.chat_template";

CheckpointFiles files_with(const std::string& tokenizer_config) {
  CheckpointFiles files;
  files.pre = "gpt-2";
  files.texts["tokenizer.json"] =
      R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}})";
  if (!tokenizer_config.empty()) files.texts["tokenizer_config.json"] = tokenizer_config;
  return files;
}

TEST(ChatTemplate, TokenizerConfigThenJinjaThenJson) {
  CheckpointFiles files = files_with(R"({"chat_template": "one"})");
  files.texts["chat_template.json"] = R"({"chat_template": "three"})";
  files.texts["chat_template.jinja"] = "two\n";
  EXPECT_EQ(text(files.read(), kKey), "one");
  files.texts["tokenizer_config.json"] = R"({"chat_template": null})";
  EXPECT_EQ(text(files.read(), kKey), "two\n");
  files.texts.erase("chat_template.jinja");
  EXPECT_EQ(text(files.read(), kKey), "three");
  files.texts.erase("tokenizer_config.json");
  EXPECT_EQ(text(files.read(), kKey), std::nullopt);
}

TEST(ChatTemplate, SeveralWithNames) {
  const Tokenizer read = files_with(R"({"chat_template": [{"name": "tool-use é", "template": "T"},
                                       {"name": "default", "template": "D"},
                                       {"name": "rag", "template": "R"},
                                       {"name": "", "template": "none"},
                                       {"name": "none"}, 5]})")
                             .read();
  EXPECT_EQ(text(read, kKey), "D");
  EXPECT_EQ(text(read, kKey + ".tool_use__"), "T");
  EXPECT_EQ(text(read, kKey + ".rag"), "R");
  EXPECT_EQ(strings(read, "tokenizer.chat_templates"),
            (std::vector<std::string>{"tool_use__", "rag"}));
  EXPECT_EQ(read.notes.size(), 0u);
}

TEST(ChatTemplate, TwoOfOneNameAndNoneByDefault) {
  const Tokenizer read = files_with(R"({"chat_template": [{"name": "a-b", "template": "first"},
                                                          {"name": "a_b", "template": "second"}]})")
                             .read();
  EXPECT_EQ(text(read, kKey), std::nullopt);
  EXPECT_EQ(text(read, kKey + ".a_b"), "first");
  EXPECT_EQ(strings(read, "tokenizer.chat_templates"), std::vector<std::string>{"a_b"});
  ASSERT_EQ(read.notes.size(), 1u);
}

TEST(ChatTemplate, MoreInAFolder) {
  CheckpointFiles files = files_with("{}");
  files.texts["chat_template.jinja"] = "D";
  files.texts["additional_chat_templates/tool_use.jinja"] = "T";
  files.texts["additional_chat_templates/rag.jinja"] = "R";
  const Tokenizer read = files.read();
  EXPECT_EQ(text(read, kKey), "D");
  EXPECT_EQ(text(read, kKey + ".tool_use"), "T");
  EXPECT_EQ(strings(read, "tokenizer.chat_templates"),
            (std::vector<std::string>{"rag", "tool_use"}));
  EXPECT_TRUE(is_read("additional_chat_templates/rag.jinja"));
  EXPECT_FALSE(is_read("additional_chat_templates/.jinja"));
  EXPECT_FALSE(is_read("additional_chat_templates/rag.txt"));
  EXPECT_FALSE(is_read("model.safetensors"));
}

TEST(ChatTemplate, WhatIsNoText) {
  const Tokenizer read = files_with(R"({"chat_template": {"default": "D"}})").read();
  EXPECT_EQ(text(read, kKey), std::nullopt);
  EXPECT_EQ(read.notes.size(), 1u);
  CheckpointFiles files = files_with("{}");
  files.texts["chat_template.jinja"] = "\xff";
  EXPECT_NE(files.error().find("chat_template.jinja"), std::string::npos);
}

}  // namespace
}  // namespace sluice::tokenizer
