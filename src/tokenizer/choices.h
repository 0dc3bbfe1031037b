#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace sluice::tokenizer {

/// A special token that a family has by its text, whatever the files name.
struct NamedToken {
  std::string_view role;  ///< "bos", "eot", …
  std::string_view text;
};

/// What depends on the family, and not on the files.
struct Choices {
  std::string_view architecture = {};  ///< GGUF's name
  /// tokenizer.model is read before tokenizer.json, if there are both.
  bool sentencepiece_first = false;
  /// Llama's: tokenizer_config.json's `add_prefix_space` is kept, and CodeLlama and Granite are told
  /// by the size of the vocabulary.
  bool llama_keys = false;
  /// Phi-3's: tokenizer.json's added tokens count beside tokenizer.model, and tokens are special
  /// only if they are said to be; tokenizer_class "GPT2Tokenizer" means tokenizer.json.
  bool phi3_added_tokens = false;
  /// tokenizer.ggml.add_space_prefix, if the family fixes it.
  std::optional<bool> add_space_prefix = {};
  /// Roles that are still free after all files were asked.
  std::span<const NamedToken> special_tokens = {};
};

/// The choices of a family by GGUF's name of its architecture; those of most for an unknown one.
const Choices& choices_of(std::string_view architecture);

}  // namespace sluice::tokenizer
