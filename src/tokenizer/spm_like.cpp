// tokenizer.json that was made from a SentencePiece model which is not there itself. Its tokens are
// the model's; the scores, by which llama.cpp joins, are lost: they are made again from the merges.

#include <unordered_map>

#include "tokenizer/source.h"

namespace sluice::tokenizer {
namespace {

/// SentencePiece's BPE gives the n-th token that it learns the score -n, so that what was learned
/// first is joined first. The n-th merge makes that token; the first one, where several do.
void set_scores(Vocabulary& vocabulary, const gguf::StringArray& merges) {
  std::unordered_map<std::string_view, std::uint64_t> ids;
  ids.reserve(vocabulary.size());
  for (std::uint64_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.has(id)) ids.emplace(vocabulary.text(id), id);
  }
  float score = 0;
  std::string text;
  merges.for_each([&](std::string_view merge) {
    const std::size_t space = merge.find(' ');
    text.assign(merge, 0, space).append(merge, space + 1);
    const auto made = ids.find(text);
    if (made != ids.end()) {
      vocabulary.set_score(made->second, score);
      ids.erase(made);
    }
    score -= 1;
  });
}

bool is_spm_like(const Source& source) {
  return source.json && source.json->byte_fallback && source.json->decoder == "Sequence";
}

Tokens read_spm_like(Source& source) {
  TokenizerJson& json = *source.json;
  Tokens tokens{
      .model = "llama", .pre = "default", .vocabulary = std::move(json.vocabulary), .merges = {}};
  Vocabulary& vocabulary = tokens.vocabulary;
  set_scores(vocabulary, json.merges);
  for (std::uint64_t id = 0; id < vocabulary.size(); ++id) {
    if (vocabulary.has(id) && is_byte_token(vocabulary.text(id))) {
      vocabulary.set(id, vocabulary.text(id), TokenType::byte, vocabulary.scores()[id]);
    }
  }
  set_added_tokens(vocabulary, json.added_tokens, json.file);
  vocabulary.fill(vocabulary_size(source, vocabulary.size(), json.file));
  return tokens;
}

}  // namespace

const Kind kSpmLike = {is_spm_like, read_spm_like};

}  // namespace sluice::tokenizer
