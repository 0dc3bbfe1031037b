#include "tokenizer/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace sluice::tokenizer {
namespace {

/// A merge's part as GGUF has it: merges are "left right" there, so a space within a part is what
/// GPT-2's byte alphabet has for it.
void append_part(std::string& merge, std::string_view part) {
  for (const char c : part) {
    if (c == ' ') {
      merge += "\u0120";
    } else {
      merge += c;
    }
  }
}

class JsonReader : public JsonPieceReader {
 public:
  JsonReader(TokenizerJson& out, ModelOfJson model) : out_(out), model_(model) {}

  JsonPiece at(JsonPath path) override {
    if (path.empty()) return JsonPiece::enter;
    const JsonStep& top = path.front();
    if (top == "added_tokens") return path.size() == 1 ? JsonPiece::enter : JsonPiece::keep;
    if (top == "pre_tokenizer" || top == "post_processor" || top == "decoder")
      return JsonPiece::keep;
    return top == "model" ? in_model(path.subspan(1)) : JsonPiece::skip;
  }

  void take(JsonPath path, Json value) override {
    if (path.size() == 1) {
      take_section(path[0], std::move(value));
    } else if (path.size() == 2 && path[0] == "added_tokens") {
      add_token(value);
    } else if (path.size() == 2) {
      take_setting(path[1], value);
    } else if (path.size() == 3 && path[1] == "vocab" && !path[2].into_array) {
      take_vocab(path[2].key, value);
    } else if (path.size() == 3 && path[1] == "merges" && path[2].into_array) {
      take_merge(value);
    }
  }

 private:
  JsonPiece in_model(JsonPath path) const {
    if (path.empty()) return JsonPiece::enter;
    const bool is_list = path[0] == "vocab" || path[0] == "merges";
    if (is_list && model_ == ModelOfJson::skip) return JsonPiece::skip;
    if (is_list) return path.size() == 1 ? JsonPiece::enter : JsonPiece::keep;
    return path[0] == "type" || path[0] == "byte_fallback" || path[0] == "ignore_merges"
               ? JsonPiece::keep
               : JsonPiece::skip;
  }

  void take_section(const JsonStep& key, Json value) {
    if (key == "pre_tokenizer") {
      out_.pre_tokenizer = std::move(value);
    } else if (key == "post_processor") {
      out_.post_processor = std::move(value);
    } else if (key == "decoder") {
      out_.decoder = as_text(at_key(value, "type")).value_or("");
    }
  }

  void take_setting(const JsonStep& key, const Json& value) {
    if (key == "byte_fallback") out_.byte_fallback = as_flag(value).value_or(false);
    if (key == "ignore_merges") out_.ignore_merges = as_flag(value).value_or(false);
    if (key == "type" && model_ == ModelOfJson::read && value != "BPE") {
      fail(out_.file,
           fmt::format("the model is of the kind '{}'; only BPE can be converted",
                       printable(as_text(value).value_or("?"))),
           "Take a checkpoint of the family with a BPE or SentencePiece tokenizer");
    }
  }

  void add_token(const Json& token) {
    const std::optional<std::string> text = as_text(at_key(token, "content"));
    if (!text) fail(out_.file, "an element of added_tokens has no content");
    const std::uint64_t id = checked_id(at_key(token, "id"), *text, out_.file);
    out_.added_tokens.push_back({id, *text, as_flag(at_key(token, "special")).value_or(false)});
  }

  void take_vocab(const std::string& text, const Json& value) {
    const std::uint64_t id = checked_id(value, text, out_.file);
    if (out_.vocabulary.has(id)) {
      fail(out_.file, fmt::format("the id {} is given to '{}' and to '{}'", id,
                                  printable(out_.vocabulary.text(id)), printable(text)));
    }
    out_.vocabulary.set(id, text, TokenType::normal);
  }

  void take_merge(const Json& value) {
    if (const auto* text = value.get_ptr<const std::string*>()) {
      if (std::count(text->begin(), text->end(), ' ') != 1) fail_merge();
      out_.merges.add(*text);
      return;
    }
    if (!value.is_array() || value.size() != 2 || !value[0].is_string() || !value[1].is_string()) {
      fail_merge();
    }
    merge_.clear();
    append_part(merge_, value[0].get_ref<const std::string&>());
    merge_ += ' ';
    append_part(merge_, value[1].get_ref<const std::string&>());
    out_.merges.add(merge_);
  }

  [[noreturn]] void fail_merge() const {
    fail(out_.file, fmt::format("merge {} is not of two parts", out_.merges.size()));
  }

  TokenizerJson& out_;
  const ModelOfJson model_;
  std::string merge_;
};

}  // namespace

std::optional<std::uint64_t> TokenizerJson::find_added(std::string_view text) const {
  const auto found = std::find_if(added_tokens.begin(), added_tokens.end(),
                                  [&](const AddedToken& token) { return token.text == text; });
  return found == added_tokens.end() ? std::nullopt : std::optional(found->id);
}

TokenizerJson read_tokenizer_json(std::string_view text, const std::string& file,
                                  ModelOfJson model) {
  TokenizerJson json;
  json.file = file;
  JsonReader reader(json, model);
  read_pieces(text, file, reader);
  if (model == ModelOfJson::read && json.vocabulary.size() == 0) {
    fail(file, "has no vocabulary of a BPE model");
  }
  return json;
}

std::uint64_t checked_id(const Json& value, const std::string& token, const std::string& file) {
  const std::optional<std::uint64_t> id = as_whole(value);
  if (!id || *id >= kMostTokens) {
    fail(file,
         fmt::format("the token '{}' has the id {}; ids are numbers from 0 to {}", printable(token),
                     printable(value.is_number() ? value.dump() : "?"), kMostTokens - 1));
  }
  return *id;
}

}  // namespace sluice::tokenizer
