// What a model's metadata say of its tokenizer, apart from how words are joined. What is expected is
// what llama.cpp v0.5.0 makes of it; real_client/tokens compares with it itself.

#include "tokenizer/encoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/text_cutter.h"
#include "sluice/error.h"
#include "tokenizer/encoder_models.h"
#include "tokenizer/utf8.h"
#include "tokenizer/words.h"

namespace sluice::tokenizer {
namespace {

using Pieces = std::vector<std::string>;

const std::vector<SmallToken> kSmall = {{"<unk>", 0, TokenType::unknown},
                                        {"<s>", 0, TokenType::control},
                                        {"</s>", 0, TokenType::control},
                                        {"\u2581"},
                                        {"a"},
                                        {"\u2581a", 1},
                                        {"<x>", 0, TokenType::user_defined},
                                        {"<x><y>", 0, TokenType::user_defined},
                                        {"<y>", 0, TokenType::control},
                                        {"<"},
                                        {"x"},
                                        {"y"},
                                        {">"}};

Pieces encoded(const gguf::Header& model, std::string_view text, bool add_special = false,
               bool parse_special = false) {
  return texts_of(model, encoder_of(model)->encode(text, add_special, parse_special));
}

TEST(Encoder, ASpaceComesBeforeTextsAndBehindSpecialTokens) {
  gguf::Header model = small_vocabulary("llama", kSmall);
  EXPECT_EQ(encoded(model, "a a", true), (Pieces{"<s>", "\u2581a", "\u2581a"}));
  EXPECT_EQ(encoded(model, "a<x>a"), (Pieces{"\u2581a", "<x>", "\u2581a"}));
  EXPECT_EQ(encoded(model, "", true), (Pieces{"<s>"}));
  model.set("tokenizer.ggml.add_space_prefix", gguf::Value::of(false));
  model.set("tokenizer.ggml.add_bos_token", gguf::Value::of(false));
  model.set("tokenizer.ggml.add_eos_token", gguf::Value::of(true));
  EXPECT_EQ(encoded(model, "a<x>a", true), (Pieces{"a", "<x>", "a", "</s>"}));
}

TEST(Encoder, LongerSpecialTokensComeFirstAndControlOnesOnRequest) {
  gguf::Header model = small_vocabulary("llama", kSmall);
  model.set("tokenizer.ggml.add_space_prefix", gguf::Value::of(false));
  EXPECT_EQ(encoded(model, "<x><x><y>"), (Pieces{"<x>", "<x><y>"}));
  EXPECT_EQ(encoded(model, "a<y>"), (Pieces{"a", "<", "y", ">"}));
  EXPECT_EQ(encoded(model, "a<y>", false, true), (Pieces{"a", "<y>"}));
}

TEST(Encoder, SomeTokensAreSpecialByTheirTextsOrTheModelsName) {
  std::vector<SmallToken> tokens = kSmall;
  tokens.push_back({"<|im_end|>"});
  tokens.push_back({"<|message|>", 0, TokenType::control});
  gguf::Header model = small_vocabulary("llama", tokens);
  EXPECT_EQ(encoded(model, "a<|im_end|> a", false, true),
            (Pieces{"\u2581a", "<|im_end|>", "\u2581", "\u2581a"}));
  EXPECT_EQ(encoded(model, "<|message|>a"), (Pieces{"<|message|>", "\u2581a"}));
  model.set("general.name", gguf::Value::of("Phi-3 mini"));
  EXPECT_EQ(encoded(model, "a<|im_end|> \n a", false, true),
            (Pieces{"\u2581a", "<|im_end|>", "\u2581a"}));
  EXPECT_EQ(encoded(model, "<s> a", false, true), (Pieces{"<s>", "\u2581", "\u2581a"}));
}

TEST(Encoder, WordsAreCutAsTheNameSays) {
  const auto words = [](std::string_view name, std::string_view text) {
    Pieces pieces = {std::string(text)};
    for (const std::string& pattern : find_pre_tokenizer(name)->cuts) {
      Pieces shorter;
      for (const std::string& piece : pieces) {
        std::vector<std::size_t> lengths;
        TextCutter(pattern).cut(piece, lengths);
        for (std::size_t at = 0, i = 0; i < lengths.size(); at += lengths[i++]) {
          shorter.push_back(piece.substr(at, lengths[i]));
        }
      }
      pieces = shorter;
    }
    return pieces;
  };
  EXPECT_EQ(words("llama-bpe", "I'LL go 12345  \n\n x"),
            (Pieces{"I", "'LL", " go", " ", "123", "45", "  \n\n", " x"}));
  EXPECT_EQ(words("qwen2", "a\u00a0\u3000b12"), (Pieces{"a", "\u00a0", "\u3000b", "1", "2"}));
  EXPECT_EQ(words("gpt-4o", "camelCase's HTTPServer"), (Pieces{"camel", "Case's", " HTTPServer"}));
  EXPECT_EQ(words("tekken", "ABCdef1"), (Pieces{"ABCdef", "1"}));
  EXPECT_EQ(words("kimi-k2", "x中文y'll"), (Pieces{"x", "中文", "y'll"}));
  EXPECT_EQ(words("deepseek-v3", "a中#define 1234"),
            (Pieces{"a", "中", "#define", " ", "123", "4"}));
  EXPECT_EQ(words("deepseek-llm", "a \u3000中\u3000\n 1234 "),
            (Pieces{"a", " \u3000", "中", "\u3000", "\n", " ", "1234", " "}));
  EXPECT_EQ(words("gpt-2", "a   b's 12"), (Pieces{"a", "  ", " b", "'s", " 12"}));
  EXPECT_EQ(words("starcoder", "a 12"), (Pieces{"a", " ", "1", "2"}));
  EXPECT_EQ(find_pre_tokenizer("no such"), nullptr);
}

TEST(Encoder, BytesThatAreNoTextAreReadAsLlamaCppDoes) {
  EXPECT_EQ(read_utf8("a\xffz"), "a\ufffdz");
  EXPECT_EQ(read_utf8("\xe4\xb8"), "\ufffd\ufffd");
  EXPECT_EQ(read_utf8(std::string("\xc0\x80", 2)), std::string(1, '\0'));
  EXPECT_EQ(read_utf8("\xe0\x80\xaf"), "/");
  EXPECT_EQ(read_utf8("\xed\xa0\x80"), "\xed\xa0\x80");
  EXPECT_EQ(read_utf8("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");
  EXPECT_EQ(read_utf8("\u00e4\u4e2d\U0001f642"), "\u00e4\u4e2d\U0001f642");
}

TEST(Encoder, EveryCharacterHasAKnownOneOfItsLength) {
  for (std::uint32_t code = 0x80; code < 0x110000; ++code) {
    std::string text;
    if (code >= 0x10000) text += static_cast<char>(0xf0 | code >> 18);
    if (code >= 0x10000) text += static_cast<char>(0x80 | (code >> 12 & 63));
    if (code >= 0x800 && code < 0x10000) text += static_cast<char>(0xe0 | code >> 12);
    if (code >= 0x800) text += static_cast<char>(0x80 | (code >> 6 & 63));
    if (code < 0x800) text += static_cast<char>(0xc0 | code >> 6);
    text += static_cast<char>(0x80 | (code & 63));
    const std::string known = with_known_characters(text);
    ASSERT_EQ(known.size(), text.size()) << code;
    ASSERT_EQ(with_known_characters(known), known) << code;
    ASSERT_EQ(read_utf8(known), known) << code;
  }
}

/// The error that making an encoder ends with.
std::string refusal(const gguf::Header& model, ErrorCode code) {
  try {
    encoder_of(model);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code);
    EXPECT_EQ(e.context().file, "model.gguf");
    EXPECT_FALSE(e.context().cure.empty());
    return e.what();
  }
  return "no error";
}

TEST(Encoder, WhatItDoesNotKnowIsNamed) {
  for (const char* kind : {"bert", "t5", "rwkv"}) {
    EXPECT_NE(refusal(small_vocabulary(kind, kSmall), ErrorCode::input_type).find(kind),
              std::string::npos);
  }
  EXPECT_NE(refusal(small_pairs("odd", kSmall, {}), ErrorCode::input_type).find("'odd'"),
            std::string::npos);
  EXPECT_NE(refusal(small_pairs("", kSmall, {}), ErrorCode::input_type).find("is missing"),
            std::string::npos);
}

TEST(Encoder, WhatLlamaCppRefusesIsRefused) {
  const auto with = [](const char* key, gguf::Value value) {
    gguf::Header model = small_vocabulary("llama", kSmall);
    model.set(std::string("tokenizer.ggml.") + key, std::move(value));
    return refusal(model, ErrorCode::input_format);
  };
  std::vector<float> scores(kSmall.size());
  scores.pop_back();
  EXPECT_NE(with("scores", gguf::Value::of_floats(scores)).find("scores"), std::string::npos);
  scores.assign(kSmall.size(), std::numeric_limits<float>::quiet_NaN());
  EXPECT_NE(with("scores", gguf::Value::of_floats(scores)).find("no number"), std::string::npos);
  EXPECT_NE(with("token_type", gguf::Value::of("x")).find("token_type"), std::string::npos);
  EXPECT_NE(with("tokens", gguf::Value::of(1u)).find("tokens"), std::string::npos);
  std::vector<SmallToken> twice = kSmall;
  twice.push_back({"a"});
  EXPECT_NE(refusal(small_vocabulary("llama", twice), ErrorCode::input_format).find("'a'"),
            std::string::npos);
  gguf::Header pairs = small_pairs("gpt-2", kSmall, {});
  pairs.erase("tokenizer.ggml.merges");
  EXPECT_NE(refusal(pairs, ErrorCode::input_format).find("merges"), std::string::npos);
  pairs = small_pairs("glm4", kSmall, {});
  pairs.set("tokenizer.ggml.add_bos_token", gguf::Value::of(true));
  EXPECT_NE(refusal(pairs, ErrorCode::input_format).find("begin"), std::string::npos);
}

TEST(Encoder, AByteThatHasNoTokenIsNamed) {
  const auto encoder = encoder_of(small_vocabulary("llama", kSmall));
  try {
    encoder->encode("\u00e4", false, false);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::input_format);
    EXPECT_NE(std::string(e.what()).find("0xC3"), std::string::npos);
  }
}

// Bytes of the metadata changed at random: one clear error, or tokens that are there.
TEST(Encoder, HostileMetadataMakeNoHavoc) {
  std::mt19937 random(18);
  int encoded = 0;
  for (int round = 0; round < 4000; ++round) {
    gguf::Header model =
        round % 2 == 0 ? small_vocabulary("llama", kSmall)
                       : small_pairs("qwen2", kSmall, {"a x", "ax y", "x >", "<  x", " ", ""});
    for (int changes = 1 + static_cast<int>(random() % 3); changes > 0; --changes) {
      auto& bytes = model.metadata[random() % model.metadata.size()].value.bytes;
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    try {
      const auto header = gguf::serialize_header(model);
      const auto parsed = gguf::parse_header(header, header.size(), "model.gguf");
      if (!parsed) continue;
      const auto encoder = encoder_of(*parsed);
      for (const std::int32_t token : encoder->encode("a <x><y>\xff\xe4 xy\n\u00e4", true, true)) {
        ASSERT_TRUE(token >= 0 && token < encoder->tokens);
      }
      ++encoded;
    } catch (const Error& e) {
      EXPECT_EQ(e.context().file, "model.gguf") << e.what();
    }
  }
  EXPECT_GT(encoded, 100);
}

}  // namespace
}  // namespace sluice::tokenizer
