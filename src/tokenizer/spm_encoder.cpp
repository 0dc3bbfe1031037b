// SentencePiece's tokens, as llama.cpp joins them (llm_tokenizer_spm): by scores, not by the
// unigram model's probabilities.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <queue>
#include <unordered_set>

#include "tokenizer/encoder_kinds.h"
#include "tokenizer/failure.h"

namespace sluice::tokenizer {
namespace {

constexpr std::string_view kSpmSpace = "\u2581";

/// Bytes of the character that begins so, which its first byte alone says.
std::size_t announced_bytes(char first) {
  constexpr std::array<std::uint8_t, 16> kBytes = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 4};
  return kBytes[static_cast<std::uint8_t>(first) >> 4];
}

std::size_t character_bytes(std::string_view text) {
  return std::min(announced_bytes(text.front()), text.size());
}

/// Characters of one word that have been joined so far, as a chain.
class Chain {
 public:
  Chain(std::string_view word, const Lexicon& lexicon, const std::vector<float>& scores)
      : word_(word), lexicon_(lexicon), scores_(scores) {
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t bytes = character_bytes(word.substr(at));
      const auto i = static_cast<std::int32_t>(links_.size());
      links_.push_back({at, bytes, i - 1, i + 1});
      at += bytes;
    }
    links_.back().next = -1;
  }

  void join(std::size_t longest_token) {
    longest_ = longest_token;
    for (std::size_t i = 1; i < links_.size(); ++i) {
      propose(static_cast<std::int32_t>(i - 1), static_cast<std::int32_t>(i));
    }
    while (!pairs_.empty()) {
      const Pair pair = pairs_.top();
      pairs_.pop();
      Link& left = at(pair.left);
      Link& right = at(pair.right);
      // One of the two has been joined with something else since.
      if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != pair.bytes) continue;
      left.bytes += right.bytes;
      right.bytes = 0;
      left.next = right.next;
      if (right.next >= 0) at(right.next).previous = pair.left;
      propose(left.previous, pair.left);
      propose(pair.left, left.next);
    }
  }

  template <class Use>
  void for_each(Use use) const {
    for (std::int32_t i = 0; i >= 0; i = links_[static_cast<std::size_t>(i)].next) {
      const Link& link = links_[static_cast<std::size_t>(i)];
      use(word_.substr(link.begin, link.bytes));
    }
  }

 private:
  struct Link {
    std::size_t begin;
    std::size_t bytes;  ///< 0: part of another one now
    std::int32_t previous;
    std::int32_t next;
  };

  struct Pair {
    float score;
    std::int32_t left;
    std::int32_t right;
    std::size_t bytes;

    /// Whether the other comes first: it has the better score, or the same and is further left.
    bool operator<(const Pair& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };

  Link& at(std::int32_t i) { return links_[static_cast<std::size_t>(i)]; }

  void propose(std::int32_t left, std::int32_t right) {
    if (left < 0 || right < 0) return;
    const std::size_t bytes = at(left).bytes + at(right).bytes;
    if (bytes > longest_) return;
    const std::int32_t token = lexicon_.find(word_.substr(at(left).begin, bytes));
    if (token >= 0) pairs_.push({scores_[static_cast<std::size_t>(token)], left, right, bytes});
  }

  std::string_view word_;
  const Lexicon& lexicon_;
  const std::vector<float>& scores_;
  std::size_t longest_ = 0;
  std::vector<Link> links_;
  std::priority_queue<Pair> pairs_;
};

class SpmEncoder : public PartEncoder {
 public:
  SpmEncoder(const gguf::Header& model, const Lexicon& lexicon, std::string file)
      : lexicon_(lexicon),
        file_(std::move(file)),
        scores_(scores_of(model, lexicon.size(), file_)) {
    const gguf::Value* const prefix = model.find("tokenizer.ggml.add_space_prefix");
    if (prefix != nullptr) has_prefix_ = prefix->as_bool().value_or(true);
    for (const std::string& text : lexicon.texts) {
      longest_ = std::max(longest_, text.size());
      for_each_neighbours(text, [&](std::string_view character, std::string_view before) {
        if (begins_word(character, before)) before_space_.insert(before);
        return true;
      });
    }
    for (unsigned byte = 0; byte < bytes_.size(); ++byte) {
      const char letter = static_cast<char>(byte);
      bytes_[byte] = lexicon.find(fmt::format("<0x{:02X}>", byte));
      if (bytes_[byte] < 0) bytes_[byte] = lexicon.find({&letter, 1});
    }
  }

  void append(std::string_view text, bool is_first, KnownWords& known,
              TokenIds& out) const override {
    std::string escaped = has_prefix_ && is_first ? std::string(kSpmSpace) : "";
    for (const char c : text) {
      if (c == ' ') {
        escaped += kSpmSpace;
      } else {
        escaped += c;
      }
    }
    const auto encode = [&](std::string_view word, TokenIds& ids) { append_word(word, ids); };
    for (std::string_view rest = escaped; !rest.empty();) {
      const std::size_t end = word_end(rest);
      known.append(rest.substr(0, end), out, encode);
      rest.remove_prefix(end);
    }
  }

 private:
  /// Calls use(character, the one before) for each of a text.
  template <class Use>
  static void for_each_neighbours(std::string_view text, Use use) {
    std::string_view before;
    while (!text.empty()) {
      const std::string_view character = text.substr(0, character_bytes(text));
      if (!use(character, before)) return;
      before = character;
      text.remove_prefix(character.size());
    }
  }

  static bool begins_word(std::string_view character, std::string_view before) {
    return character == kSpmSpace && !before.empty() && before != kSpmSpace;
  }

  /// Where the first word ends: before a space, unless a token might join it with what is before.
  std::size_t word_end(std::string_view text) const {
    std::size_t end = text.size();
    for_each_neighbours(text, [&](std::string_view character, std::string_view before) {
      const bool goes_on = !begins_word(character, before) || before_space_.contains(before);
      if (!goes_on) end = static_cast<std::size_t>(character.data() - text.data());
      return goes_on;
    });
    return end;
  }

  void append_word(std::string_view word, TokenIds& out) const {
    Chain chain(word, lexicon_, scores_);
    chain.join(longest_);
    chain.for_each([&](std::string_view piece) {
      const std::int32_t token = lexicon_.find(piece);
      if (token >= 0) {
        out.push_back(token);
      } else {
        for (const char byte : piece) out.push_back(byte_token(byte));
      }
    });
  }

  std::int32_t byte_token(char byte) const {
    const auto value = static_cast<std::uint8_t>(byte);
    if (bytes_[value] < 0) {
      fail(file_,
           fmt::format("its vocabulary has no token for the byte 0x{:02X} of the text", value));
    }
    return bytes_[value];
  }

  const Lexicon& lexicon_;
  std::string file_;
  std::vector<float> scores_;
  std::array<std::int32_t, 256> bytes_{};
  std::size_t longest_ = 0;
  bool has_prefix_ = true;
  std::unordered_set<std::string_view> before_space_;  ///< characters, within tokens
};

}  // namespace

std::unique_ptr<PartEncoder> by_scores(const gguf::Header& model, const Lexicon& lexicon,
                                       const std::string& file) {
  return std::make_unique<SpmEncoder>(model, lexicon, file);
}

}  // namespace sluice::tokenizer
