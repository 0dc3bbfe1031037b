// Names of pre-tokenizers by what tokenizer.json's own steps are.

#include <gtest/gtest.h>

#include "tokenizer/checkpoint_files.h"

namespace sluice::tokenizer {
namespace {

using nlohmann::json;

json split(const std::string& regex) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", regex}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}
json bytes(bool use_regex) {
  return {{"type", "ByteLevel"}, {"use_regex", use_regex}, {"add_prefix_space", false}};
}
json digits(bool individual) {
  return {{"type", "Digits"}, {"individual_digits", individual}};
}

/// Splits, and then bytes as letters.
json steps(std::vector<std::string> regexes, std::vector<json> more = {}) {
  json list = json::array();
  for (const std::string& regex : regexes) list.push_back(split(regex));
  for (const json& step : more) list.push_back(step);
  return list;
}

struct Case {
  std::string name;
  json pretokenizers;
  std::string architecture = "llama";
  bool ignore_merges = false;
};

CheckpointFiles files_of(const Case& c) {
  CheckpointFiles files;
  files.model.architecture = c.architecture;
  files.texts["tokenizer.json"] = json{
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", c.pretokenizers}}},
      {"model",
       {{"type", "BPE"},
        {"ignore_merges", c.ignore_merges},
        {"vocab", {{"a", 0}}},
        {"merges", {"a b"}}}}}.dump();
  return files;
}

// As in tokenizer.json of Llama 3, Qwen3, gpt-oss, Mistral Nemo and DeepSeek V3 (the fixtures have
// them whole); the others as llama.cpp's loader has them.
const std::string kLlama3 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const std::string kQwen35 =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| "
    "?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const std::string kChinese = "[一-龥ࠀ-一가-\xed\x9f\xbf]+";

TEST(PreTokenizer, NamesByStepsFamilyAndMerges) {
  const json spelled = bytes(false);
  const json punctuation = {{"type", "Punctuation"}, {"behavior", "Contiguous"}};
  const json llama3 = steps({kLlama3}, {spelled});
  const std::vector<json> llm_ends[] = {{digits(false), spelled}, {digits(true), spelled}};
  const auto deepseek_llm = [&](const std::vector<json>& end) {
    return steps({"[\r\n]", "\\s?[A-Za-zµÀ-ÖØ-öø-ƺ and so on]+", "\\s?[!-/:-~！-／：-～‘-‟　-。]+",
                  "\\s+$", kChinese},
                 end);
  };
  for (const Case& c : {
           Case{"llama-bpe", llama3, "llama", true},
           Case{"smaug-bpe", llama3, "llama", false},
           Case{"dbrx", llama3, "phi3", false},
           Case{"glm4", llama3, "glm4moe", false},
           Case{"glm4", llama3, "glm4", true},
           Case{"qwen35", steps({kQwen35}, {spelled}), "qwen3next"},
           Case{"deepseek-llm", deepseek_llm(llm_ends[0]), "deepseek2"},
           Case{"deepseek-llm", deepseek_llm(llm_ends[1]), "deepseek2"},
           Case{"deepseek-coder",
                steps({"[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", kChinese}, {digits(true), spelled})},
           Case{"starcoder", {digits(true), bytes(true)}},
           Case{"gpt-2", {bytes(true)}},
           Case{"falcon", {punctuation, bytes(true), digits(false), split("[0-9][0-9][0-9]")}},
       }) {
    EXPECT_EQ(text(files_of(c).read(), "tokenizer.ggml.pre"), c.name) << c.architecture;
  }
}

TEST(PreTokenizer, OneStepNeedsNoSequence) {
  CheckpointFiles files;
  files.texts["tokenizer.json"] = R"({"pre_tokenizer": {"type": "ByteLevel"},
      "model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}})";
  EXPECT_EQ(text(files.read(), "tokenizer.ggml.pre"), "gpt-2") << "it cuts, unless told not to";
}

TEST(PreTokenizer, UnknownStepsAreShownWholeAndNamedByTheUser) {
  json inverted = split(kLlama3);
  inverted["invert"] = true;
  json removed = split(kLlama3);
  removed["behavior"] = "Removed";
  const std::string control = "[\x1b\xc2\x9b]+";
  for (const json& list : {
           steps({"\\p{N}{1,4}"}, {bytes(false)}),
           steps({kLlama3 + "|x"}, {bytes(false)}),
           steps({kLlama3}, {bytes(true)}),
           steps({kLlama3}, {digits(true), bytes(false)}),
           steps({kLlama3, kLlama3}),
           json::array({bytes(false), split(kLlama3)}),
           json::array({inverted}),
           json::array({removed}),
           json::array({digits(false), bytes(true)}),
           json::array({split(control)}),
           json::array(),
           json::array({1, nullptr}),
       }) {
    CheckpointFiles files = files_of({"", list});
    const std::string error = files.error();
    EXPECT_NE(error.find("--pre NAME"), std::string::npos) << error;
    EXPECT_EQ(error.find_first_of("\n\x1b\xc2"), std::string::npos) << error;
    files.pre = "some-name";
    EXPECT_EQ(text(files.read(), "tokenizer.ggml.pre"), "some-name");
  }
  const std::string error = files_of({"", steps({kLlama3 + "|x"})}).error();
  EXPECT_NE(error.find("\\\\s+(?!\\\\S)|\\\\s+|x\"]"), std::string::npos) << error;
}

TEST(PreTokenizer, ANameIsNotUsedForSentencePiece) {
  CheckpointFiles files = CheckpointFiles::of_folder(SLUICE_TEST_DATA "/checkpoints/mixtral");
  files.model = {"llama", 300};
  files.pre = "llama-bpe";
  const Tokenizer read = files.read();
  EXPECT_EQ(text(read, "tokenizer.ggml.pre"), "default");
  ASSERT_EQ(read.notes.size(), 1u);
  EXPECT_NE(read.notes[0].find("--pre"), std::string::npos);
}

}  // namespace
}  // namespace sluice::tokenizer
