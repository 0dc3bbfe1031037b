#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::tokenizer {

/// GGUF's numbers of what a token is.
enum class TokenType : std::int32_t {
  normal = 1,
  unknown = 2,
  control = 3,
  user_defined = 4,
  unused = 5,
  byte = 6,
};

/// Four times the largest vocabulary in use: what ids and sizes are checked against before anything
/// is allocated for them.
inline constexpr std::uint64_t kMostTokens = 1 << 20;

/// Tokens by id, as GGUF's arrays have them.
class Vocabulary {
 public:
  std::uint64_t size() const { return texts_.size(); }
  bool has(std::uint64_t id) const { return id < size() && types_[id] != kNone; }
  const std::string& text(std::uint64_t id) const { return texts_[id]; }

  /// Gives `id`, which is below kMostTokens, to a token, whatever had it before.
  void set(std::uint64_t id, std::string text, TokenType type, float score = 0);
  void set_score(std::uint64_t id, float score) { scores_[id] = score; }

  /// Fills what has no token up to `size` with "[PAD<id>]"; tokens from there on go.
  /// \param size  at most kMostTokens
  void fill(std::uint64_t size, float score = 0);

  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<float>& scores() const { return scores_; }
  const std::vector<std::int32_t>& types() const { return types_; }

 private:
  static constexpr std::int32_t kNone = 0;

  void resize(std::uint64_t size);

  std::vector<std::string> texts_;
  std::vector<float> scores_;
  std::vector<std::int32_t> types_;
};

/// Whether a token is one that models are steered by, to judge by its text: some checkpoints do not
/// mark such tokens as special.
bool looks_special(std::string_view text);

/// `text` with a space for every U+2581, which SentencePiece writes for one. A user's text is
/// searched for user-defined tokens before its spaces are replaced.
std::string with_spaces(std::string_view text);

/// Whether the text is "<0x00>" to "<0xFF>": SentencePiece's token of a byte.
bool is_byte_token(std::string_view text);

}  // namespace sluice::tokenizer
