#include "tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>

#include "base/text.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/source.h"
#include "tokenizer/special_tokens.h"

namespace sluice::tokenizer {
namespace {

constexpr std::string_view kRead[] = {
    "config.json", "tokenizer.json", "tokenizer.model",   "tokenizer_config.json",
    "tekken.json", "tiktoken.model", "added_tokens.json", "chat_template.jinja",
    "vocab.json",  "merges.txt",     "chat_template.json"};

// In the order in which they are preferred.
constexpr const Kind* kKinds[] = {&kSentencePiece, &kSpmLike,  &kBytePairs,
                                  &kTekken,        &kTiktoken, &kVocabJson};

Json json_file(const Files& files, std::string_view name) {
  const auto text = files.find(name);
  if (!text) return {};
  return parse_json_object(*text, files.path(name));
}

const Kind& kind_of(const Source& source) {
  const auto* const kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                        [&](const Kind* k) { return k->is(source); });
  if (kind == std::end(kKinds)) {
    fail(source.files.folder, "has no tokenizer that can be read",
         "Download tokenizer.json, tokenizer.model, tekken.json or tiktoken.model of the same "
         "checkpoint into the folder");
  }
  return **kind;
}

/// tokenizer.json is read for its added tokens even where another file has the model.
std::optional<TokenizerJson> read_json(const Files& files, Source& source) {
  constexpr const char* kName = "tokenizer.json";
  const auto text = files.find(kName);
  if (!text) return std::nullopt;
  const bool has_model = !kSentencePiece.is(source) || !source.choices.sentencepiece_first;
  return read_tokenizer_json(*text, files.path(kName),
                             has_model ? ModelOfJson::read : ModelOfJson::skip);
}

void set_tokens(const Tokens& tokens, gguf::Header& metadata) {
  using gguf::Value;
  metadata.set("tokenizer.ggml.model", Value::of(tokens.model));
  metadata.set("tokenizer.ggml.pre", Value::of(tokens.pre));
  metadata.set("tokenizer.ggml.tokens", Value::of_strings(tokens.vocabulary.texts()));
  if (tokens.model == "llama") {
    metadata.set("tokenizer.ggml.scores", Value::of_floats(tokens.vocabulary.scores()));
  }
  metadata.set("tokenizer.ggml.token_type", Value::of_ints(tokens.vocabulary.types()));
}

}  // namespace

std::optional<std::string_view> Files::find(std::string_view name) const {
  const auto found = texts.find(name);
  return found == texts.end() ? std::nullopt : std::optional(found->second);
}

std::span<const std::string_view> files_read() noexcept {
  return kRead;
}

bool is_read(std::string_view name) noexcept {
  return std::find(std::begin(kRead), std::end(kRead), name) != std::end(kRead) ||
         is_additional_template(name);
}

std::uint64_t checked_vocab_size(const Source& source) {
  const std::uint64_t size = source.model.vocab_size.value_or(0);
  if (size > kMostTokens) {
    fail(source.files.path("config.json"),
         fmt::format("vocab_size is {}; at most {} tokens are possible", size, kMostTokens));
  }
  return size;
}

std::uint64_t vocabulary_size(const Source& source, std::uint64_t tokens, const std::string& file) {
  const std::uint64_t size = checked_vocab_size(source);
  if (size == 0) return tokens;
  if (tokens > size) {
    fail(file,
         fmt::format(
             "has a token with the id {}, but vocab_size in config.json is {}: the model has "
             "no row for it",
             tokens - 1, size),
         "Take both files from the same checkpoint; tokens that were added need a model that was "
         "resized for them");
  }
  return size;
}

void set_added_tokens(Vocabulary& vocabulary, const std::vector<AddedToken>& tokens,
                      const std::string& file) {
  std::map<std::uint64_t, std::string_view> seen;
  for (const AddedToken& token : tokens) {
    const std::string_view first = seen.try_emplace(token.id, token.text).first->second;
    if (first != token.text) {
      fail(file, fmt::format("the id {} is given to the added tokens '{}' and '{}'", token.id,
                             printable(first), printable(token.text)));
    }
    const bool is_control = token.special || looks_special(token.text);
    vocabulary.set(token.id, is_control ? token.text : with_spaces(token.text),
                   is_control ? TokenType::control : TokenType::user_defined);
  }
}

std::vector<AddedToken> added_tokens_decoder(const Source& source) {
  const std::string file = source.files.path("tokenizer_config.json");
  std::vector<AddedToken> tokens;
  for (const auto& [key, token] : at_key(source.tokenizer_config, "added_tokens_decoder").items()) {
    std::uint64_t id = 0;
    const char* const end = key.data() + key.size();
    const auto [rest, error] = std::from_chars(key.data(), end, id);
    const std::optional<std::string> text = as_text(at_key(token, "content"));
    if (rest != end || error != std::errc() || !text) {
      fail(file, fmt::format("added_tokens_decoder: '{}' is no id with a token's content",
                             printable(key)));
    }
    tokens.push_back(
        {checked_id(id, *text, file), *text, as_flag(at_key(token, "special")).value_or(false)});
  }
  return tokens;
}

std::vector<AddedToken> added_tokens_file(const Source& source) {
  constexpr const char* kName = "added_tokens.json";
  const Json json = json_file(source.files, kName);
  std::vector<AddedToken> tokens;
  for (const auto& [text, id] : json.items()) {
    tokens.push_back({checked_id(id, text, source.files.path(kName)), text, false});
  }
  return tokens;
}

Tokenizer read(const Files& files, const Model& model, std::string_view pre) {
  Tokenizer tokenizer;
  Source source{.files = files,
                .model = model,
                .choices = choices_of(model.architecture),
                .pre = pre,
                .config = json_file(files, "config.json"),
                .tokenizer_config = json_file(files, "tokenizer_config.json"),
                .json = {},
                .notes = tokenizer.notes};
  source.json = read_json(files, source);
  gguf::Header header;
  Tokens tokens = kind_of(source).read(source);
  tokenizer.tokens = tokens.vocabulary.size();
  set_tokens(tokens, header);
  set_special_tokens(source, tokens, header);
  set_chat_templates(source, header);
  if (tokens.model == "gpt2") {
    header.set("tokenizer.ggml.merges", std::move(tokens.merges).value());
  }
  if (!pre.empty() && tokens.pre != pre) {
    tokenizer.notes.push_back(fmt::format(
        "--pre {} is not used: SentencePiece's tokens are joined without it.", printable(pre)));
  }
  tokenizer.metadata = std::move(header.metadata);
  return tokenizer;
}

}  // namespace sluice::tokenizer
