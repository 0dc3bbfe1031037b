// Each kind of tokenizer beyond what the fixtures have of it.

#include <gtest/gtest.h>

#include "tokenizer/checkpoint_files.h"
#include "tokenizer/checkpoints.h"

namespace sluice::tokenizer {
namespace {

using nlohmann::json;

std::string base64(const std::string& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned bits = 0;
    for (std::size_t j = i; j < i + 3; ++j) {
      bits = bits << 8 | (j < bytes.size() ? static_cast<std::uint8_t>(bytes[j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      out += i + j <= bytes.size() ? kDigits[bits >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

/// The vocabulary of a fixture's tokenizer.json as bytes by rank. The first 256 tokens are the bytes,
/// in the order of GPT-2's alphabet: those that can be seen, then the others.
std::vector<std::string> bytes_by_rank(const json& tokenizer) {
  std::vector<std::string> letters(tokenizer["model"]["vocab"].size());
  for (const auto& [text, id] : tokenizer["model"]["vocab"].items()) letters[id] = text;
  std::map<std::string, char> byte_of;
  std::size_t id = 0;
  for (const bool seen : {true, false}) {
    for (int byte = 0; byte < 256; ++byte) {
      const bool is_seen =
          (33 <= byte && byte <= 126) || (161 <= byte && byte <= 172) || 174 <= byte;
      if (is_seen == seen) byte_of[letters[id++]] = static_cast<char>(byte);
    }
  }
  std::vector<std::string> all;
  for (const std::string& text : letters) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size();) {
      const std::size_t length = static_cast<std::uint8_t>(text[i]) < 0x80 ? 1 : 2;
      bytes += byte_of.at(text.substr(i, length));
      i += length;
    }
    all.push_back(bytes);
  }
  return all;
}

json fixture_json(const std::string& folder) {
  return json::parse(read_text(kCheckpoints + folder + "/tokenizer.json"));
}

TEST(Kinds, AListOfRanksHasTheMergesThatItWasMadeFrom) {
  const json tokenizer = fixture_json("kimi_k2_int4");
  CheckpointFiles files;
  files.model = {"deepseek2", 300};
  const std::vector<std::string> tokens = bytes_by_rank(tokenizer);
  for (std::size_t rank = 0; rank < tokens.size(); ++rank) {
    files.texts["tiktoken.model"] += base64(tokens[rank]) + " " + std::to_string(rank) + "\n";
  }
  files.texts["tokenizer_config.json"] =
      R"({"added_tokens_decoder": {"272": {"content": "[BOS]", "special": false},
                                   "290": {"content": "[EOS]", "special": true}}})";
  files.texts["config.json"] = R"({"bos_token_id": 272, "eos_token_id": 290})";
  const Tokenizer read = files.read();
  EXPECT_EQ(strings(read, "tokenizer.ggml.merges"),
            tokenizer["model"]["merges"].get<std::vector<std::string>>());
  const auto texts = strings(read, "tokenizer.ggml.tokens");
  ASSERT_EQ(texts.size(), 300u);
  for (const auto& [text, id] : tokenizer["model"]["vocab"].items()) EXPECT_EQ(texts[id], text);
  EXPECT_EQ(texts[272], "[BOS]");
  EXPECT_EQ(texts[273], "[PAD273]");
  const auto types = numbers<std::int32_t>(read, "tokenizer.ggml.token_type");
  EXPECT_EQ(types[271], 1);
  EXPECT_EQ(types[272], 3) << "all tokens of the decoder are special";
  EXPECT_EQ(types[290], 3);
  EXPECT_EQ(types[299], 5);
  EXPECT_EQ(text(read, "tokenizer.ggml.pre"), "kimi-k2");
  EXPECT_EQ(text(read, "tokenizer.ggml.model"), "gpt2");
  EXPECT_EQ(id(read, "bos"), 272u);
  EXPECT_EQ(id(read, "eos"), 290u);

  files.model.architecture = "llama";
  EXPECT_NE(files.error().find("--pre"), std::string::npos) << "only Kimi's is known";
  files.pre = "llama-bpe";
  EXPECT_EQ(text(files.read(), "tokenizer.ggml.pre"), "llama-bpe");
}

TEST(Kinds, ATokenThatLowerRanksDoNotJoinToTwoPartsHasNoMerge) {
  CheckpointFiles files;
  files.model.architecture = "deepseek2";
  // "abcd" is a, b, c, d where nothing lower joins them; "ab" is.
  files.texts["tiktoken.model"] = "YQ== 0\nYg== 1\r\nYw== 2\nZA== 3\nYWJjZA== 4\n\nYWI= 5\n";
  EXPECT_EQ(strings(files.read(), "tokenizer.ggml.merges"), std::vector<std::string>{"a b"});
}

TEST(Kinds, TekkenHasItsSpecialTokensFirst) {
  const json tokenizer = fixture_json("mistral_small3");
  json tekken = {{"config", {{"default_vocab_size", 286}, {"default_num_special_tokens", 20}}},
                 {"vocab", json::array()},
                 {"special_tokens", json::array()}};
  const std::vector<std::string> tokens = bytes_by_rank(tokenizer);
  for (std::size_t rank = 0; rank < tokens.size(); ++rank) {
    tekken["vocab"].push_back({{"rank", rank}, {"token_bytes", base64(tokens[rank])}});
  }
  const std::vector<std::string> special = {"<unk>", "<s>", "</s>", "[INST]", "<pad>"};
  for (std::size_t rank = 0; rank < special.size(); ++rank) {
    tekken["special_tokens"].push_back({{"rank", rank}, {"token_str", special[rank]}});
  }
  CheckpointFiles files;
  files.model = {"llama", 288};
  files.texts["tekken.json"] = tekken.dump();
  const Tokenizer read = files.read();
  const auto texts = strings(read, "tokenizer.ggml.tokens");
  ASSERT_EQ(texts.size(), 288u);
  EXPECT_EQ(texts[3], "[INST]");
  EXPECT_EQ(texts[5], "[PAD5]");
  EXPECT_EQ(texts[20], "!");
  EXPECT_EQ(texts[285], "ĠĠ") << "266 tokens of 272 are the model's";
  EXPECT_EQ(texts[286], "[PAD286]");
  const auto merges = tokenizer["model"]["merges"].get<std::vector<std::string>>();
  // What was joined later than the model knows is not there.
  std::vector<std::string> known;
  const auto& vocab = tokenizer["model"]["vocab"];
  for (const std::string& merge : merges) {
    std::string joined = merge;
    joined.erase(joined.find(' '), 1);
    if (vocab[joined].get<int>() < 266) known.push_back(merge);
  }
  EXPECT_EQ(strings(read, "tokenizer.ggml.merges"), known);
  EXPECT_LT(known.size(), merges.size());
  EXPECT_EQ(text(read, "tokenizer.ggml.pre"), "tekken");
  EXPECT_EQ(id(read, "bos"), 1u);
  EXPECT_EQ(id(read, "eos"), 2u);
  EXPECT_EQ(id(read, "unknown"), 0u);
  EXPECT_EQ(id(read, "padding"), 4u);
  EXPECT_EQ(flag(read, "add_bos_token"), true);
  EXPECT_EQ(flag(read, "add_eos_token"), false);

  files.texts["tokenizer.json"] = tokenizer.dump();
  EXPECT_EQ(strings(files.read(), "tokenizer.ggml.tokens")[0], "!") << "tokenizer.json goes first";
}

/// Llama 2's kind of tokenizer.json, without the tokenizer.model that it was made from.
CheckpointFiles spm_like() {
  CheckpointFiles files;
  files.model = {"llama", 12};
  files.texts["tokenizer.json"] = R"({
    "added_tokens": [{"id": 0, "content": "<unk>", "special": true},
                     {"id": 9, "content": "▁▁x", "special": false},
                     {"id": 10, "content": "<|end|>", "special": false}],
    "decoder": {"type": "Sequence", "decoders": []},
    "model": {"type": "BPE", "byte_fallback": true,
      "vocab": {"<unk>": 0, "<0x0A>": 1, "▁a": 2, "ab": 3, "▁ab": 4, "▁": 5, "a": 6, "b": 7,
                "<0xG0>": 8},
      "merges": ["a b", "▁ a", "▁ ab", "▁a b"]}})";
  return files;
}

TEST(Kinds, ScoresOfASpmLikeModelAreTheRanksOfMerges) {
  const Tokenizer read = spm_like().read();
  EXPECT_EQ(text(read, "tokenizer.ggml.model"), "llama");
  EXPECT_EQ(text(read, "tokenizer.ggml.pre"), "default");
  EXPECT_FALSE(find(read, "tokenizer.ggml.merges"));
  const auto scores = numbers<float>(read, "tokenizer.ggml.scores");
  ASSERT_EQ(scores.size(), 12u);
  EXPECT_EQ(scores[3], 0) << "ab is joined first";
  EXPECT_EQ(scores[2], -1);
  EXPECT_EQ(scores[4], -2) << "of two merges that make it, the first counts";
  EXPECT_EQ(scores[6], 0) << "no merge makes it";
  const auto types = numbers<std::int32_t>(read, "tokenizer.ggml.token_type");
  EXPECT_EQ(types, (std::vector<std::int32_t>{3, 6, 1, 1, 1, 1, 1, 1, 1, 4, 3, 5}));
  EXPECT_EQ(strings(read, "tokenizer.ggml.tokens")[9], "  x");
  EXPECT_EQ(strings(read, "tokenizer.ggml.tokens")[11], "[PAD11]");
}

TEST(Kinds, GemmaWithoutItsModelFileIsSpmLikeWithoutASpaceInFront) {
  CheckpointFiles files = spm_like();
  files.model.architecture = "gemma3";
  const Tokenizer read = files.read();
  EXPECT_EQ(text(read, "tokenizer.ggml.model"), "llama");
  EXPECT_EQ(flag(read, "add_space_prefix"), false);
}

TEST(Kinds, AByteFallbackAloneIsNoSpmLikeModel) {
  CheckpointFiles files = spm_like();
  std::string& text_of_file = files.texts["tokenizer.json"];
  text_of_file.replace(text_of_file.find("Sequence"), 8, "ByteLevel");
  files.pre = "gpt-2";
  EXPECT_EQ(text(files.read(), "tokenizer.ggml.model"), "gpt2");
}

TEST(Kinds, PartsOfMergesWithSpaces) {
  CheckpointFiles files;
  files.pre = "gpt-2";
  files.texts["tokenizer.json"] =
      R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a ", " b"], ["c", "d"]]}})";
  EXPECT_EQ(strings(files.read(), "tokenizer.ggml.merges"),
            (std::vector<std::string>{"aĠ Ġb", "c d"}));
}

TEST(Kinds, VocabularyAndMergesInFilesOfTheirOwn) {
  CheckpointFiles files;
  files.model = {"qwen2", 6};
  files.texts["vocab.json"] = R"({"b": 1, "a": 0, "ab": 2})";
  files.texts["merges.txt"] = "#version: 0.2\r\na b\r\n# c\n\n";
  files.texts["added_tokens.json"] = R"({"<|im_end|>": 3, "<think>": 4})";
  EXPECT_NE(files.error().find("--pre"), std::string::npos);
  files.pre = "qwen2";
  const Tokenizer read = files.read();
  EXPECT_EQ(strings(read, "tokenizer.ggml.tokens"),
            (std::vector<std::string>{"a", "b", "ab", "<|im_end|>", "<think>", "[PAD5]"}));
  EXPECT_EQ(strings(read, "tokenizer.ggml.merges"), (std::vector<std::string>{"a b", "# c"}));
  EXPECT_EQ(numbers<std::int32_t>(read, "tokenizer.ggml.token_type"),
            (std::vector<std::int32_t>{1, 1, 1, 3, 4, 5}));

  files.texts["merges.txt"] = "a b c\n";
  EXPECT_NE(files.error().find("line 1"), std::string::npos);
  files.texts.erase("merges.txt");
  EXPECT_NE(files.error().find("merges.txt"), std::string::npos);
}

TEST(Kinds, MergesBesideATokenizerJsonThatHasNone) {
  CheckpointFiles files;
  files.pre = "gpt-2";
  files.texts["tokenizer.json"] = R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}})";
  EXPECT_NE(files.error().find("merges.txt"), std::string::npos);
  files.texts["merges.txt"] = "a b\n";
  EXPECT_EQ(strings(files.read(), "tokenizer.ggml.merges"), std::vector<std::string>{"a b"});
}

TEST(Kinds, WhichFileGoesFirst) {
  CheckpointFiles files = CheckpointFiles::of_folder(kCheckpoints + "llama2_spm");
  files.texts["tokenizer.json"] = fixture_json("llama32_tied").dump();
  const auto model = [&](const std::string& architecture) {
    files.model = {architecture, 304};
    return text(files.read(), "tokenizer.ggml.model");
  };
  for (const std::string family : {"llama", "mistral3", "qwen2", "qwen3moe", "gemma3", "phi3"}) {
    EXPECT_EQ(model(family), "llama") << family;
  }
  for (const std::string family : {"llama4", "gpt-oss", "glm4moe", "deepseek2"}) {
    EXPECT_EQ(model(family), "gpt2") << family;
  }
  // Phi-4 says that it has no SentencePiece model.
  files.texts["tokenizer_config.json"] = R"({"tokenizer_class": "GPT2Tokenizer"})";
  EXPECT_EQ(model("phi3"), "gpt2");
  // Llama 3's tokenizer.model is a list of ranks.
  files.texts["tokenizer.model"] = "IQ== 0\nIg== 1\n";
  EXPECT_EQ(model("llama"), "gpt2");
  files.texts.erase("tokenizer.json");
  EXPECT_NE(files.error().find("Download tokenizer.json"), std::string::npos);
}

TEST(Kinds, Phi3TakesTokenizerJsonsAddedTokensAsTheyAreMarked) {
  CheckpointFiles files = CheckpointFiles::of_folder(kCheckpoints + "phi3");
  files.model = {"phi3", 320};
  files.texts["tokenizer.json"] = R"({"added_tokens": [
      {"id": 3, "content": "<|endoftext|>", "special": true},
      {"id": 310, "content": "<|user▁|>", "special": false}], "model": {"type": "BPE"}})";
  const Tokenizer read = files.read();
  const auto texts = strings(read, "tokenizer.ggml.tokens");
  const auto types = numbers<std::int32_t>(read, "tokenizer.ggml.token_type");
  const auto scores = numbers<float>(read, "tokenizer.ggml.scores");
  EXPECT_EQ(types[3], 3);
  EXPECT_EQ(texts[310], "<|user▁|>");
  EXPECT_EQ(types[310], 4) << "though it looks special";
  EXPECT_EQ(scores[310], -1000);
  EXPECT_EQ(texts[311], "[PAD311]");
  EXPECT_EQ(scores[311], -10000);
  EXPECT_EQ(id(read, "eos"), 3u);
}

TEST(Kinds, TokensOfASentencePieceModelBeyondVocabSizeAreLeftOutAndToldOf) {
  CheckpointFiles files = CheckpointFiles::of_folder(kCheckpoints + "llama2_spm");
  files.model = {"llama", 290};
  const Tokenizer cut = files.read();
  EXPECT_EQ(cut.tokens, 290u);
  ASSERT_EQ(cut.notes.size(), 2u) << "300 pieces, and two tokens of added_tokens.json";
  EXPECT_NE(cut.notes[0].find("300 pieces"), std::string::npos);
  EXPECT_NE(cut.notes[1].find("2 of them, the first is '<|pad|>', 300"), std::string::npos);
  files.model.vocab_size = std::nullopt;
  EXPECT_EQ(files.read().tokens, 300u) << "as many as the model has";
}

TEST(Kinds, ABpeTokenBeyondVocabSizeIsAnError) {
  CheckpointFiles files = CheckpointFiles::of_folder(kCheckpoints + "qwen3");
  files.model = {"qwen3", 276};
  const std::string error = files.error();
  EXPECT_NE(error.find("id 276"), std::string::npos) << error;
  EXPECT_NE(error.find("vocab_size in config.json is 276"), std::string::npos) << error;
  files.model.vocab_size = 277;
  EXPECT_EQ(files.read().tokens, 277u);
  files.model.vocab_size = std::nullopt;
  EXPECT_EQ(files.read().tokens, 277u);
}

TEST(Kinds, AListingSeesWhatDiffers) {
  const auto listing = json::parse(read_text(kCheckpoints + "expected/qwen3-bf16.json"));
  CheckpointFiles files = CheckpointFiles::of_folder(kCheckpoints + "qwen3");
  files.model = {"qwen3", 288};
  EXPECT_EQ(differences(files.read(), listing), "");
  std::string& vocabulary = files.texts["tokenizer.json"];
  vocabulary.replace(vocabulary.find("\"on\""), 4, "\"no\"");
  EXPECT_NE(differences(files.read(), listing), "");
}

}  // namespace
}  // namespace sluice::tokenizer
