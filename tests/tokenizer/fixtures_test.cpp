// Tiny checkpoints of all families: the metadata are what llama.cpp's converter makes of them.

#include <gtest/gtest.h>

#include "tokenizer/checkpoint_files.h"
#include "tokenizer/checkpoints.h"

namespace sluice::tokenizer {
namespace {

struct Fixture {
  std::string folder;
  std::string listing;   // of several that have the same tokenizer, one
  std::string pre = {};  // given, where the converter's name was forced in spite of the regex
};

class Fixtures : public testing::TestWithParam<Fixture> {};

TEST_P(Fixtures, MetadataAreThoseOfTheConverter) {
  const auto listing = nlohmann::json::parse(
      read_text(kCheckpoints + "expected/" + GetParam().folder + GetParam().listing));
  CheckpointFiles files = CheckpointFiles::of_folder(kCheckpoints + GetParam().folder);
  files.pre = GetParam().pre;
  const auto config = nlohmann::json::parse(files.texts.at("config.json"));
  const auto& text = config.contains("text_config") ? config["text_config"] : config;
  files.model.vocab_size = text.at("vocab_size");
  for (const auto& entry : listing["kv"]) {
    if (entry["key"] == "general.architecture") files.model.architecture = entry["value"];
  }
  const Tokenizer tokenizer = files.read();
  EXPECT_EQ(differences(tokenizer, listing), "");
  EXPECT_EQ(tokenizer.tokens, files.model.vocab_size);
  EXPECT_EQ(tokenizer.notes, std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(
    Checkpoints, Fixtures,
    testing::Values(Fixture{"bailing_moe2", "-bf16.json"},
                    Fixture{"deepseek_v2_lite", "-bf16.json", "deepseek-llm"},
                    Fixture{"deepseek_v3_fp8", "-f32.json"}, Fixture{"dots1", "-bf16.json"},
                    Fixture{"ernie4_5", "-bf16.json"}, Fixture{"ernie4_5_moe", "-bf16.json"},
                    Fixture{"gemma3", "-bf16.json"}, Fixture{"glm4", "-bf16.json"},
                    Fixture{"glm4_moe", "-bf16.json"}, Fixture{"gpt_oss", "-bf16.json"},
                    Fixture{"kimi_k2_int4", "-f32.json", "kimi-k2"},
                    Fixture{"llama2_spm", "-f32.json"}, Fixture{"llama32_tied", "-bf16.json"},
                    Fixture{"llama4_scout", "-bf16.json"}, Fixture{"llama_fp8_ct", "-bf16.json"},
                    Fixture{"mimo2_fp8", "-bf16.json"}, Fixture{"minimax_m2_fp8", "-bf16.json"},
                    Fixture{"mistral_small3", "-bf16.json"}, Fixture{"mixtral", "-bf16.json"},
                    Fixture{"olmo3", "-bf16.json"}, Fixture{"phi3", "-bf16.json"},
                    Fixture{"qwen2", "-bf16.json"}, Fixture{"qwen3", "-bf16.json"},
                    Fixture{"qwen3_moe", "-bf16.json"}, Fixture{"qwen3_moe_fused", "-bf16.json"},
                    Fixture{"qwen3_next", "-bf16.json"}, Fixture{"qwen3_5", "-bf16.json"},
                    Fixture{"qwen3_5_moe", "-bf16.json"}, Fixture{"seed_oss", "-bf16.json"},
                    Fixture{"smollm3", "-bf16.json"}, Fixture{"step35", "-bf16.json"}),
    [](const auto& test) { return test.param.folder; });

}  // namespace
}  // namespace sluice::tokenizer
