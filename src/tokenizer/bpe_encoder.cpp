// Byte pairs, as llama.cpp joins them (llm_tokenizer_bpe). Bytes are the letters of GPT-2's alphabet.

#include <array>
#include <optional>
#include <queue>

#include "base/text_cutter.h"
#include "tokenizer/byte_pairs.h"
#include "tokenizer/encoder_kinds.h"
#include "tokenizer/utf8.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kMergesKey = "tokenizer.ggml.merges";

/// What merges make, by number: the numbers of tokens are their ids, and what is no token, but a part
/// of one or left over by a merge, has a number from there on.
class Merges {
 public:
  using Symbol = std::uint32_t;
  struct Join {
    std::uint32_t rank;
    Symbol result;
  };

  Merges(const Lexicon& lexicon, const std::vector<std::string>& merges) : lexicon_(lexicon) {
    for (unsigned byte = 0; byte < letters_.size(); ++byte) {
      const char letter = static_cast<char>(byte);
      letters_[byte] = number(to_byte_letters({&letter, 1}));
    }
    joins_.reserve(merges.size());
    for (std::uint32_t rank = 0; rank < merges.size(); ++rank) {
      const std::string& merge = merges[rank];
      const std::size_t space = merge.find(' ', 1);
      if (space == std::string::npos || space + 1 == merge.size()) continue;  // joins nothing
      const std::string left = merge.substr(0, space);
      const std::string right = merge.substr(space + 1);
      joins_.emplace(pair(number(left), number(right)), Join{rank, number(left + right)});
    }
  }

  Symbol letter(char byte) const { return letters_[static_cast<std::uint8_t>(byte)]; }

  std::optional<Join> join(Symbol left, Symbol right) const {
    const auto found = joins_.find(pair(left, right));
    return found == joins_.end() ? std::nullopt : std::optional(found->second);
  }

  /// What is no token is spelled with the tokens of its letters' bytes, if there are any.
  void append(Symbol symbol, TokenIds& out) const {
    if (symbol < lexicon_.texts.size()) {
      out.push_back(static_cast<std::int32_t>(symbol));
      return;
    }
    for (const char& byte : others_[symbol - lexicon_.texts.size()]) {
      if (const std::int32_t token = lexicon_.find({&byte, 1}); token >= 0) out.push_back(token);
    }
  }

 private:
  static std::uint64_t pair(Symbol left, Symbol right) { return std::uint64_t{left} << 32 | right; }

  Symbol number(const std::string& text) {
    if (const std::int32_t token = lexicon_.find(text); token >= 0) {
      return static_cast<Symbol>(token);
    }
    const auto next = static_cast<Symbol>(lexicon_.texts.size() + others_.size());
    const auto [at, is_new] = numbers_.emplace(text, next);
    if (is_new) others_.push_back(text);
    return at->second;
  }

  const Lexicon& lexicon_;
  std::array<Symbol, 256> letters_{};
  std::vector<std::string> others_;
  std::unordered_map<std::string, Symbol> numbers_;  ///< of the others
  std::unordered_map<std::uint64_t, Join> joins_;
};

/// Joins the letters of one word.
class Joiner {
 public:
  explicit Joiner(const Merges& merges) : merges_(merges) {}

  void append(std::string_view word, TokenIds& out) {
    links_.clear();
    for (const char byte : word) {
      const auto i = static_cast<std::int32_t>(links_.size());
      links_.push_back({merges_.letter(byte), i - 1, i + 1});
    }
    links_.back().next = -1;
    for (std::size_t i = 0; i + 1 < links_.size(); ++i) propose(static_cast<std::int32_t>(i));
    while (!pairs_.empty()) {
      const Pair pair = pairs_.top();
      pairs_.pop();
      take(pair);
    }
    for (std::int32_t i = 0; i >= 0; i = at(i).next) merges_.append(at(i).symbol, out);
  }

 private:
  static constexpr Merges::Symbol kGone = ~Merges::Symbol{0};

  struct Link {
    Merges::Symbol symbol;
    std::int32_t previous;
    std::int32_t next;
  };

  struct Pair {
    Merges::Join join;
    std::int32_t left;
    std::int32_t right;
    Merges::Symbol left_symbol;
    Merges::Symbol right_symbol;

    /// Whether the other comes first.
    bool operator<(const Pair& other) const {
      return join.rank != other.join.rank ? join.rank > other.join.rank : left > other.left;
    }
  };

  Link& at(std::int32_t i) { return links_[static_cast<std::size_t>(i)]; }

  void propose(std::int32_t left) {
    if (left < 0 || at(left).next < 0) return;
    const std::int32_t right = at(left).next;
    const auto join = merges_.join(at(left).symbol, at(right).symbol);
    if (join) pairs_.push({*join, left, right, at(left).symbol, at(right).symbol});
  }

  void take(const Pair& pair) {
    Link& left = at(pair.left);
    Link& right = at(pair.right);
    if (left.symbol != pair.left_symbol || right.symbol != pair.right_symbol) return;
    left.symbol = pair.join.result;
    left.next = right.next;
    right.symbol = kGone;
    if (right.next >= 0) at(right.next).previous = pair.left;
    propose(left.previous);
    propose(pair.left);
  }

  const Merges& merges_;
  std::vector<Link> links_;
  std::priority_queue<Pair> pairs_;
};

class BpeEncoder : public PartEncoder {
 public:
  BpeEncoder(const Lexicon& lexicon, const std::vector<std::string>& merges,
             const PreTokenizer& words)
      : lexicon_(lexicon), merges_(lexicon, merges), ignores_merges_(words.ignores_merges) {
    for (const std::string& pattern : words.cuts) cutters_.emplace_back(pattern);
  }

  void append(std::string_view text, bool /*is_first*/, KnownWords& known,
              TokenIds& out) const override {
    const std::string read = read_utf8(text);
    Joiner joiner(merges_);
    const auto encode = [&](std::string_view word, TokenIds& ids) {
      const std::int32_t whole = ignores_merges_ ? lexicon_.find(to_byte_letters(word)) : -1;
      if (whole >= 0) {
        ids.push_back(whole);
      } else {
        joiner.append(word, ids);
      }
    };
    std::size_t begin = 0;
    for (const std::size_t bytes : cut(with_known_characters(read))) {
      known.append(std::string_view(read).substr(begin, bytes), out, encode);
      begin += bytes;
    }
  }

 private:
  /// Lengths of words.
  std::vector<std::size_t> cut(std::string_view text) const {
    std::vector<std::size_t> lengths = {text.size()};
    for (const TextCutter& cutter : cutters_) {
      std::vector<std::size_t> shorter;
      std::size_t begin = 0;
      for (const std::size_t bytes : lengths) {
        cutter.cut(text.substr(begin, bytes), shorter);
        begin += bytes;
      }
      lengths = std::move(shorter);
    }
    return lengths;
  }

  const Lexicon& lexicon_;
  Merges merges_;
  std::vector<TextCutter> cutters_;
  bool ignores_merges_;
};

}  // namespace

std::unique_ptr<PartEncoder> by_merges(const gguf::Header& model, const Lexicon& lexicon,
                                       const PreTokenizer& words, const std::string& file) {
  const bool has_merges = model.find(kMergesKey) != nullptr || !words.is_without_merges;
  return std::make_unique<BpeEncoder>(
      lexicon, has_merges ? strings_of(model, kMergesKey, file) : std::vector<std::string>{},
      words);
}

}  // namespace sluice::tokenizer
