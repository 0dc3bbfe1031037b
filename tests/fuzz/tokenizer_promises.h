#pragma once

// What every tokenizer that was read promises: metadata that llama.cpp can load.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/expect.h"
#include "tokenizer/tokenizer.h"

namespace sluice::fuzzing {

inline void expect_clear_of(const Error& error) {
  FUZZ_EXPECT(error.code() == ErrorCode::input_format);
  FUZZ_EXPECT(error.context().file.starts_with(kFile));
  FUZZ_EXPECT(!error.context().cure.empty());
  FUZZ_EXPECT(is_safe_to_show(error.what()));
}

inline void expect_array(const gguf::Value* value, gguf::ValueType element, std::uint64_t count) {
  FUZZ_EXPECT(value != nullptr && value->as_array());
  FUZZ_EXPECT(value->as_array()->element == element && value->as_array()->count == count);
}

inline void expect_merges(const gguf::Value* value) {
  FUZZ_EXPECT(value != nullptr);
  const std::optional<std::vector<std::string>> merges = value->as_strings();
  FUZZ_EXPECT(merges);
  for (const std::string& merge : *merges) {
    FUZZ_EXPECT(std::count(merge.begin(), merge.end(), ' ') == 1);
  }
}

inline void expect_sound(tokenizer::Tokenizer tokenizer, const tokenizer::Model& model) {
  using gguf::ValueType;
  gguf::Header header;
  header.metadata = std::move(tokenizer.metadata);
  std::set<std::string> keys;
  for (const auto& [key, value] : header.metadata) {
    FUZZ_EXPECT(key.starts_with("tokenizer."));
    FUZZ_EXPECT(keys.insert(key).second);
    const bool is_id = key.starts_with("tokenizer.ggml.") && key.ends_with("_token_id");
    FUZZ_EXPECT(!is_id || value.as_uint().value() < tokenizer.tokens);
  }
  if (model.vocab_size.value_or(0) != 0) FUZZ_EXPECT(tokenizer.tokens == *model.vocab_size);
  expect_array(header.find("tokenizer.ggml.tokens"), ValueType::string, tokenizer.tokens);
  expect_array(header.find("tokenizer.ggml.token_type"), ValueType::i32, tokenizer.tokens);
  FUZZ_EXPECT(header.find("tokenizer.ggml.tokens")->as_strings());
  if (header.find("tokenizer.ggml.model")->as_string() == "llama") {
    expect_array(header.find("tokenizer.ggml.scores"), ValueType::f32, tokenizer.tokens);
  } else {
    expect_merges(header.find("tokenizer.ggml.merges"));
  }
  for (const std::string& note : tokenizer.notes) FUZZ_EXPECT(is_safe_to_show(note));
  const std::vector<std::byte> bytes = gguf::serialize_header(header);
  FUZZ_EXPECT(gguf::parse_header(bytes, bytes.size(), kFile));
}

/// Reads files; what is refused is refused with one clear error.
inline void try_tokenizer(const tokenizer::Files& files, const tokenizer::Model& model,
                          std::string_view pre) {
  std::optional<tokenizer::Tokenizer> read;
  try {
    read = tokenizer::read(files, model, pre);
  } catch (const Error& error) {
    expect_clear_of(error);
    return;
  }
  expect_sound(*std::move(read), model);
}

}  // namespace sluice::fuzzing
