#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_pieces.h"
#include "gguf/string_array.h"
#include "tokenizer/choices.h"
#include "tokenizer/failure.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/tokenizer_json.h"
#include "tokenizer/vocabulary.h"

namespace sluice::tokenizer {

/// All that a tokenizer is read from.
struct Source {
  const Files& files;
  const Model& model;
  const Choices& choices;
  std::string_view pre;               ///< the user's choice, or empty
  Json config;                        ///< config.json, and
  Json tokenizer_config;              ///< tokenizer_config.json: null if there is none
  std::optional<TokenizerJson> json;  ///< tokenizer.json
  std::vector<std::string>& notes;    ///< what is left out
};

/// The tokens of one kind of tokenizer.
struct Tokens {
  std::string_view model;  ///< tokenizer.ggml.model: "llama" has scores, "gpt2" has merges
  std::string pre;         ///< tokenizer.ggml.pre
  Vocabulary vocabulary;
  gguf::StringArray merges = {};
  // What the file itself says of special tokens; other files are asked first.
  std::vector<std::pair<std::string, std::uint64_t>> roles = {};
  std::vector<std::pair<std::string, bool>> adds = {};
};

/// A kind of tokenizer, which has a file of its own here.
struct Kind {
  bool (*is)(const Source& source);
  Tokens (*read)(Source& source);
};

extern const Kind kSentencePiece;  ///< tokenizer.model
extern const Kind kSpmLike;        ///< tokenizer.json that was made from a tokenizer.model
extern const Kind kBytePairs;      ///< other tokenizer.json
extern const Kind kTekken;         ///< tekken.json
extern const Kind kTiktoken;       ///< tiktoken.model
extern const Kind kVocabJson;      ///< vocab.json and merges.txt

/// The configuration's vocab_size, if it is one that a vocabulary can have.
/// \throws Error (input_format)
std::uint64_t checked_vocab_size(const Source& source);

/// The size that the vocabulary is filled up to: the configuration's, or that of the tokens.
/// \throws Error (input_format) if it is beyond kMostTokens, or below `tokens`.
/// \param file  of the tokens, for messages
std::uint64_t vocabulary_size(const Source& source, std::uint64_t tokens, const std::string& file);

/// Gives a BPE vocabulary its added tokens, which may replace the model's own.
/// \throws Error (input_format) if two of them have one id.
void set_added_tokens(Vocabulary& vocabulary, const std::vector<AddedToken>& tokens,
                      const std::string& file);

/// The text of a special token in tokenizer_config.json: "bos" is told by `bos_token`.
std::optional<std::string> text_of_role(const Json& tokenizer_config, std::string_view role);

/// tokenizer_config.json's added_tokens_decoder: an object of objects by id.
std::vector<AddedToken> added_tokens_decoder(const Source& source);
/// added_tokens.json: an object of ids by text.
std::vector<AddedToken> added_tokens_file(const Source& source);

}  // namespace sluice::tokenizer
