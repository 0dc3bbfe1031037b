#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/gguf.h"

namespace sluice::tokenizer {

/// How a token is found in a text.
enum class Role : std::uint8_t {
  word,          ///< by joining what is shorter
  user_defined,  ///< before all else, wherever its text is
  control,       ///< so too, where the text of control tokens stands for them
};

/// The tokens of a model's metadata.
struct Lexicon {
  std::vector<std::string> texts;
  std::vector<Role> roles;
  std::vector<bool> strips;                                ///< spaces behind a special token go
  std::unordered_map<std::string_view, std::int32_t> ids;  ///< by text

  /// The token with that text, or -1.
  std::int32_t find(std::string_view text) const;
  std::int32_t size() const { return static_cast<std::int32_t>(texts.size()); }

  /// \throws Error (input_format): no tokens, too many, or two with the same text, as llama.cpp refuses
  static Lexicon of(const gguf::Header& model, const std::string& file);
};

/// An array of strings of the metadata.
/// \throws Error (input_format) if it is something else, or is missing
std::vector<std::string> strings_of(const gguf::Header& model, std::string_view key,
                                    const std::string& file);

/// The scores of tokens, 0 if there are none.
/// \throws Error (input_format) if they are fewer than tokens, no numbers, or NaN
std::vector<float> scores_of(const gguf::Header& model, std::int32_t tokens,
                             const std::string& file);

}  // namespace sluice::tokenizer
