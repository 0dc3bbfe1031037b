// What names, model cards and counts say about a model.

#include "checkpoint/model_name.h"

#include <gtest/gtest.h>

#include "checkpoint/model_card.h"
#include "checkpoint/synthetic.h"

namespace sluice::checkpoint {
namespace {

using Strings = std::vector<std::string>;

/// Organization, basename, finetune, version, size label.
Strings parts(const std::string& id, double billions) {
  const ModelName name = parse_model_name(id, static_cast<std::uint64_t>(billions * 1e9));
  return {name.organization, name.basename, name.finetune, name.version, name.size_label};
}

// Examples of the peer's own tests (gguf-py/tests/test_metadata.py).
TEST(ModelName, PartsAsThePeerTellsThem) {
  EXPECT_EQ(parts("Mistral/Mixtral-8x7B-v0.1", 46.7),
            (Strings{"Mistral", "Mixtral", "", "v0.1", "8x7B"}));
  EXPECT_EQ(parts("Mixtral", 0), (Strings{"", "", "", "", ""}));
  EXPECT_EQ(parts("Mixtral-v0.1", 0), (Strings{"", "Mixtral", "", "v0.1", ""}));
  EXPECT_EQ(parts("meta-llama/Meta-Llama-3.1-8B-Instruct", 8),
            (Strings{"meta-llama", "Meta-Llama-3.1", "Instruct", "", "8B"}));
  EXPECT_EQ(parts("NousResearch/Meta-Llama-3-8B", 8),
            (Strings{"NousResearch", "Meta-Llama-3", "", "", "8B"}));
  EXPECT_EQ(parts("Qwen1.5-MoE-A2.7B-Chat", 14.3),
            (Strings{"", "Qwen1.5-MoE", "Chat", "", "A2.7B"}));
  EXPECT_EQ(parts("Qwen7B", 7), (Strings{"", "", "", "", ""}));
  EXPECT_EQ(parts("Qwen2-Math-1_5B", 1.5), (Strings{"", "Qwen2-Math", "", "", "1.5B"}));
  EXPECT_EQ(parts("bloom-7b1-petals", 7.1), (Strings{"", "bloom", "petals", "", "7.1B"}));
  EXPECT_EQ(parts("LongWriter-llama3.1-8b-128k", 8),
            (Strings{"", "LongWriter-llama3.1", "128k", "", "8B"}));
  EXPECT_EQ(parts("Phi-3-mini-4k-instruct", 3.8),
            (Strings{"", "Phi-3", "4k-instruct", "", "mini"}));
  EXPECT_EQ(parts("./Llama-2-7b", 7)[0], "");
  EXPECT_EQ(parts("a sentence about 7B", 7), (Strings{"", "", "", "", ""}));
}

TEST(ModelName, Titles) {
  EXPECT_EQ(title_of("mixtral-8x7b-v0.1"), "Mixtral 8x7b v0.1");
  EXPECT_EQ(title_of("deepseek_v3_fp8"), "Deepseek_V3_Fp8");
  EXPECT_EQ(title_of("GLM-air--2 x"), "GLM Air 2 X");
}

TEST(ModelName, SizesHaveTwoDigits) {
  EXPECT_EQ(size_label(38000, 0, 0), "38K");
  EXPECT_EQ(size_label(7100000, 0, 0), "7.1M");
  EXPECT_EQ(size_label(671026419200, 0, 0), "671B");
  EXPECT_EQ(size_label(1605800960, 5637144576, 8), "8x7.2B");
  EXPECT_EQ(size_label(12, 0, 0), "0.01K");
}

TEST(ModelCard, ReadsTheFrontMatterOnly) {
  const ModelCard card = parse_model_card(
      "---\r\nlicense: other  # a comment\nlanguage: [no, 'en', \"de\"]\ntags:\n- a\n- {b: c}\n"
      "widget:\n- text: |\n    license: none\n    ---x\nname: >-\n  A long\n  name\nbad: {x: 1}\n"
      "---\nauthor: nobody\n");
  EXPECT_EQ(card.at("license"), Strings{"other"});
  EXPECT_EQ(card.at("language"), (Strings{"no", "en", "de"}));
  EXPECT_EQ(card.at("tags"), Strings{"a"});
  EXPECT_EQ(card.at("name"), Strings{"A long name"});
  EXPECT_FALSE(card.contains("bad"));
  EXPECT_FALSE(card.contains("author"));
  EXPECT_TRUE(parse_model_card("# Title\n---\nlicense: mit\n---\n").empty());
  EXPECT_TRUE(parse_model_card("---\nlicense: mit\n").empty());
  EXPECT_TRUE(parse_model_card("---\nlicense: [mit\n---\n").empty());
  EXPECT_TRUE(parse_model_card("---\n- license\n---\n").empty());
  EXPECT_TRUE(parse_model_card("").empty());
  EXPECT_TRUE(parse_model_card("---\na: " + std::string(100000, '[') + "\n---\n").empty());
}

TEST(ModelCard, OriginsAndLicences) {
  Synthetic checkpoint("qwen3");
  checkpoint.texts["README.md"] =
      "---\nname: Given\nlicense: [mit, other]\nlicense_name: n\nlicense_link: l\nbase_model:\n"
      "- https://huggingface.co/org/Base-v2\n- https://example.org/x/y/z\n- lone\n---\n";
  const gguf::Header header = read_checkpoint(checkpoint.make()->folder, {}).header;
  const auto text = [&](const std::string& key) {
    const gguf::Value* const value = header.find("general." + key);
    return value == nullptr ? "(none)" : value->as_string().value();
  };
  EXPECT_EQ(text("name"), "Given");
  EXPECT_EQ(text("license"), "mit,other");
  EXPECT_EQ(text("license.name"), "n");
  EXPECT_EQ(text("license.link"), "l");
  EXPECT_EQ(header.find("general.base_model.count")->as_uint(), 3u);
  EXPECT_EQ(text("base_model.0.name"), "Base v2");
  EXPECT_EQ(text("base_model.0.organization"), "Org");
  EXPECT_EQ(text("base_model.0.version"), "v2");
  EXPECT_EQ(text("base_model.0.repo_url"), "https://huggingface.co/org/Base-v2");
  EXPECT_EQ(text("base_model.1.name"), "(none)");
  EXPECT_EQ(text("base_model.1.repo_url"), "https://example.org/x/y/z");
  EXPECT_EQ(text("base_model.2.name"), "Lone");
  EXPECT_EQ(text("base_model.2.repo_url"), "(none)");
}

}  // namespace
}  // namespace sluice::checkpoint
