#pragma once

// Small vocabularies as a model's metadata hold them.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"
#include "tokenizer/encoder.h"
#include "tokenizer/vocabulary.h"

namespace sluice::tokenizer {

struct SmallToken {
  std::string text;
  float score = 0;
  TokenType type = TokenType::normal;
};

inline gguf::Header small_vocabulary(std::string_view kind, const std::vector<SmallToken>& tokens) {
  std::vector<std::string> texts;
  std::vector<float> scores;
  std::vector<std::int32_t> types;
  for (const SmallToken& token : tokens) {
    texts.push_back(token.text);
    scores.push_back(token.score);
    types.push_back(static_cast<std::int32_t>(token.type));
  }
  gguf::Header model;
  model.set("tokenizer.ggml.model", gguf::Value::of(kind));
  model.set("tokenizer.ggml.tokens", gguf::Value::of_strings(texts));
  model.set("tokenizer.ggml.scores", gguf::Value::of_floats(scores));
  model.set("tokenizer.ggml.token_type", gguf::Value::of_ints(types));
  return model;
}

inline gguf::Header small_pairs(std::string_view pre, const std::vector<SmallToken>& tokens,
                                const std::vector<std::string>& merges) {
  gguf::Header model = small_vocabulary("gpt2", tokens);
  model.set("tokenizer.ggml.pre", gguf::Value::of(pre));
  model.set("tokenizer.ggml.merges", gguf::Value::of_strings(merges));
  return model;
}

inline std::unique_ptr<Encoder> encoder_of(const gguf::Header& model) {
  return Encoder::of(model, "model.gguf");
}

/// The texts of tokens, as a vocabulary has them.
inline std::vector<std::string> texts_of(const gguf::Header& model,
                                         const std::vector<std::int32_t>& tokens) {
  const auto all = model.find("tokenizer.ggml.tokens")->as_strings().value();
  std::vector<std::string> texts;
  for (const std::int32_t token : tokens) texts.push_back(all.at(static_cast<std::size_t>(token)));
  return texts;
}

}  // namespace sluice::tokenizer
