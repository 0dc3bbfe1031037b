#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sluice/gguf.h"
#include "tokenizer/lexicon.h"
#include "tokenizer/words.h"

namespace sluice::tokenizer {

using TokenIds = std::vector<std::int32_t>;

/// Tokens of words that were met before. Words recur, and joining one takes far longer than finding it.
class KnownWords {
 public:
  /// Appends the tokens of a word, which `encode(word, out)` appends where it is met first.
  template <class Encode>
  void append(std::string_view word, TokenIds& out, Encode encode) {
    key_.assign(word);
    if (const auto known = words_.find(key_); known != words_.end()) {
      out.insert(out.end(), known->second.begin(), known->second.end());
      return;
    }
    const auto begin = static_cast<std::ptrdiff_t>(out.size());
    encode(word, out);
    if (word.size() <= kLongest && words_.size() < kMost) {
      words_.emplace(key_, TokenIds(out.begin() + begin, out.end()));
    }
  }

 private:
  static constexpr std::size_t kLongest = 64;  // longer ones hardly recur
  static constexpr std::size_t kMost = 1 << 17;

  std::string key_;
  std::unordered_map<std::string, TokenIds> words_;
};

/// Encodes what lies between special tokens. A kind of tokenizer is one of these.
class PartEncoder {
 public:
  virtual ~PartEncoder() = default;

  /// \param is_first  nothing but special tokens lies before, or one lies right before
  /// \param known     words of this encoder
  virtual void append(std::string_view text, bool is_first, KnownWords& known,
                      TokenIds& out) const = 0;
};

/// SentencePiece's tokens with scores: of all neighbours that together are a token, those of the
/// best score are joined first. What is no token in the end becomes a token for each of its bytes.
/// \param lexicon  has to live as long
std::unique_ptr<PartEncoder> by_scores(const gguf::Header& model, const Lexicon& lexicon,
                                       const std::string& file);

/// Pairs of bytes or of what has been joined of them, joined in the order of a list of merges.
/// \param lexicon  has to live as long
std::unique_ptr<PartEncoder> by_merges(const gguf::Header& model, const Lexicon& lexicon,
                                       const PreTokenizer& words, const std::string& file);

}  // namespace sluice::tokenizer
