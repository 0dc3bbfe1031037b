// tokenizer.json with a BPE over bytes, and its predecessors, vocab.json and merges.txt.

#include <fmt/format.h>

#include "base/text.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/source.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kVocabFile = "vocab.json";
constexpr const char* kMergesFile = "merges.txt";

/// Lines of "left right", after a line of the version.
gguf::StringArray read_merges_txt(std::string_view text, const std::string& file) {
  gguf::StringArray merges;
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (number == 1 && line.starts_with('#'))) continue;
    const std::size_t space = line.find(' ');
    if (space == 0 || space == std::string_view::npos || space + 1 == line.size() ||
        line.find(' ', space + 1) != std::string_view::npos || !is_plain_utf8(line)) {
      fail(file, fmt::format("line {} is no merge of two parts: '{}'", number, printable(line)));
    }
    merges.add(line);
  }
  return merges;
}

gguf::StringArray merges_beside(const Source& source) {
  const auto text = source.files.find(kMergesFile);
  const std::string file = source.files.path(kMergesFile);
  gguf::StringArray merges = text ? read_merges_txt(*text, file) : gguf::StringArray{};
  if (merges.size() == 0) {
    fail(file, text ? "has no merges" : "is missing, and no other file has the merges");
  }
  return merges;
}

bool is_byte_pairs(const Source& source) {
  return source.json.has_value();
}

Tokens read_byte_pairs(Source& source) {
  TokenizerJson& json = *source.json;
  Tokens tokens{.model = "gpt2",
                .pre = pre_tokenizer(source),
                .vocabulary = std::move(json.vocabulary),
                .merges = std::move(json.merges)};
  if (tokens.merges.size() == 0) tokens.merges = merges_beside(source);
  set_added_tokens(tokens.vocabulary, json.added_tokens, json.file);
  tokens.vocabulary.fill(vocabulary_size(source, tokens.vocabulary.size(), json.file));
  return tokens;
}

class VocabReader : public JsonPieceReader {
 public:
  VocabReader(Vocabulary& vocabulary, const std::string& file)
      : vocabulary_(vocabulary), file_(file) {}

  JsonPiece at(JsonPath path) override { return path.empty() ? JsonPiece::enter : JsonPiece::keep; }

  void take(JsonPath path, Json value) override {
    if (path.empty() || path[0].into_array) fail(file_, "is no list of ids by token");
    const std::uint64_t id = checked_id(value, path[0].key, file_);
    if (vocabulary_.has(id)) fail(file_, fmt::format("the id {} is given twice", id));
    vocabulary_.set(id, path[0].key, TokenType::normal);
  }

 private:
  Vocabulary& vocabulary_;
  const std::string& file_;
};

bool is_vocab_json(const Source& source) {
  return source.files.find(kVocabFile).has_value();
}

Tokens read_vocab_json(Source& source) {
  const std::string file = source.files.path(kVocabFile);
  Tokens tokens{.model = "gpt2", .pre = chosen_pre_tokenizer(source, file), .vocabulary = {}};
  VocabReader reader(tokens.vocabulary, file);
  read_pieces(*source.files.find(kVocabFile), file, reader);
  tokens.merges = merges_beside(source);
  set_added_tokens(tokens.vocabulary, added_tokens_file(source), file);
  set_added_tokens(tokens.vocabulary, added_tokens_decoder(source), file);
  tokens.vocabulary.fill(vocabulary_size(source, tokens.vocabulary.size(), file));
  return tokens;
}

}  // namespace

const Kind kBytePairs = {is_byte_pairs, read_byte_pairs};
const Kind kVocabJson = {is_vocab_json, read_vocab_json};

}  // namespace sluice::tokenizer
