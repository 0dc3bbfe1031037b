// tekken.json, Mistral's own: a list of ranks, after special tokens that have the first ids.

#include <fmt/format.h>

#include <algorithm>

#include "tokenizer/byte_pairs.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kTekkenFile = "tekken.json";

/// What tekken.json says that a GGUF model keeps.
class TekkenReader : public JsonPieceReader {
 public:
  explicit TekkenReader(const std::string& file) : file_(file) {}

  std::vector<RankedToken> vocab;
  std::vector<AddedToken> special_tokens;
  Json config;

  JsonPiece at(JsonPath path) override {
    if (path.empty()) return JsonPiece::enter;
    if (path[0] == "config") return JsonPiece::keep;
    if (path[0] != "vocab" && path[0] != "special_tokens") return JsonPiece::skip;
    return path.size() == 1 ? JsonPiece::enter : JsonPiece::keep;
  }

  void take(JsonPath path, Json value) override {
    if (path.size() == 1 && path[0] == "config") {
      config = std::move(value);
      return;
    }
    if (path.size() != 2) return;
    const std::string text = as_text(at_key(value, "token_str")).value_or("");
    const std::uint64_t rank = checked_id(at_key(value, "rank"), text, file_);
    if (path[0] == "special_tokens") {
      special_tokens.push_back({rank, text, true});
      return;
    }
    auto bytes = from_base64(as_text(at_key(value, "token_bytes")).value_or("?"));
    if (!bytes) fail(file_, fmt::format("the token_bytes of rank {} are no base64", rank));
    vocab.push_back({*std::move(bytes), rank});
  }

 private:
  const std::string& file_;
};

bool is_tekken(const Source& source) {
  return source.files.find(kTekkenFile).has_value();
}

Tokens read_tekken(Source& source) {
  const std::string file = source.files.path(kTekkenFile);
  TekkenReader reader(file);
  read_pieces(*source.files.find(kTekkenFile), file, reader);
  const Json& config = reader.config;
  const std::uint64_t special =
      checked_id(at_key(config, "default_num_special_tokens"), "default_num_special_tokens", file);
  const std::uint64_t size =
      checked_id(at_key(config, "default_vocab_size"), "default_vocab_size", file);
  if (reader.special_tokens.empty() || size < special) {
    fail(file, "has no special_tokens, or fewer tokens than those",
         "Download tokenizer.json of the same checkpoint too: it is read instead");
  }
  // The list goes on beyond what the model was made with.
  std::erase_if(reader.vocab,
                [&](const RankedToken& token) { return token.rank >= size - special; });
  Tokens tokens = tokens_of_ranks(std::move(reader.vocab), special, file);
  tokens.pre = source.pre.empty() ? "tekken" : std::string(source.pre);
  for (const AddedToken& token : reader.special_tokens) {
    if (token.id >= special) fail(file, fmt::format("special token {} is none", token.id));
    tokens.vocabulary.set(token.id, token.text, TokenType::control);
  }
  tokens.vocabulary.fill(vocabulary_size(source, tokens.vocabulary.size(), file));
  // What other files would name: Mistral's format has none of them.
  const auto find = [&](std::string_view role, std::string_view text) {
    const auto found = std::find_if(reader.special_tokens.begin(), reader.special_tokens.end(),
                                    [&](const AddedToken& token) { return token.text == text; });
    if (found != reader.special_tokens.end()) tokens.roles.emplace_back(role, found->id);
  };
  find("bos", "<s>");
  find("eos", "</s>");
  find("unk", "<unk>");
  find("pad", "<pad>");
  tokens.adds = {{"bos", true}, {"eos", false}};
  return tokens;
}

}  // namespace

const Kind kTekken = {is_tekken, read_tekken};

}  // namespace sluice::tokenizer
