#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_pieces.h"
#include "gguf/string_array.h"
#include "tokenizer/failure.h"
#include "tokenizer/vocabulary.h"

namespace sluice::tokenizer {

/// A token beside the model's own.
struct AddedToken {
  std::uint64_t id = 0;
  std::string text;
  bool special = false;
};

/// What tokenizer.json says that a GGUF model keeps.
struct TokenizerJson {
  std::string file;  ///< for messages
  std::vector<AddedToken> added_tokens;
  Json pre_tokenizer;
  Json post_processor;
  std::string decoder;  ///< its type
  bool byte_fallback = false;
  bool ignore_merges = false;
  Vocabulary vocabulary;     ///< the model's own, all of them normal
  gguf::StringArray merges;  ///< "left right", in order of rank

  /// The id of the first added token of this text.
  std::optional<std::uint64_t> find_added(std::string_view text) const;
};

enum class ModelOfJson { read, skip };

/// \param model  whether to read vocabulary and merges, which are nearly all of the text
/// \throws Error (input_format): no JSON, a model of another kind than BPE, ids that are no numbers
///         below kMostTokens, that two tokens share, merges that are not of two parts.
TokenizerJson read_tokenizer_json(std::string_view text, const std::string& file,
                                  ModelOfJson model);

/// An id that fits into a vocabulary.
/// \param token  whose, for the message
std::uint64_t checked_id(const Json& value, const std::string& token, const std::string& file);

}  // namespace sluice::tokenizer
