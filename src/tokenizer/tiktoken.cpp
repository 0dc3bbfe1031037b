// tiktoken.model, Kimi's: lines of "base64 rank", and special tokens in tokenizer_config.json.

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"
#include "tokenizer/byte_pairs.h"
#include "tokenizer/pre_tokenizer.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kTiktokenFile = "tiktoken.model";

std::optional<RankedToken> ranked_token(std::string_view line) {
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  std::optional<std::string> bytes = from_base64(line.substr(0, space));
  const char* const end = line.data() + line.size();
  std::uint64_t rank = 0;
  const auto [rest, error] = std::from_chars(line.data() + space + 1, end, rank);
  if (!bytes || rest != end || error != std::errc()) return std::nullopt;
  return RankedToken{*std::move(bytes), rank};
}

std::vector<RankedToken> read_ranks(std::string_view text, const std::string& file) {
  std::vector<RankedToken> list;
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    std::optional<RankedToken> token = ranked_token(line);
    if (!token) {
      fail(file, fmt::format("line {} is no token and rank: '{}'", number, printable(line)));
    }
    list.push_back(*std::move(token));
  }
  return list;
}

bool is_tiktoken(const Source& source) {
  return source.files.find(kTiktokenFile).has_value();
}

Tokens read_tiktoken(Source& source) {
  const std::string file = source.files.path(kTiktokenFile);
  Tokens tokens = tokens_of_ranks(read_ranks(*source.files.find(kTiktokenFile), file), 0, file);
  // How text is cut stands in a program beside the list. DeepSeek's architecture with one is Kimi.
  const bool is_kimi = source.pre.empty() && source.model.architecture == "deepseek2";
  tokens.pre = is_kimi ? "kimi-k2" : chosen_pre_tokenizer(source, file);
  for (const AddedToken& token : added_tokens_decoder(source)) {
    tokens.vocabulary.set(token.id, token.text, TokenType::control);
  }
  tokens.vocabulary.fill(vocabulary_size(source, tokens.vocabulary.size(), file));
  return tokens;
}

}  // namespace

const Kind kTiktoken = {is_tiktoken, read_tiktoken};

}  // namespace sluice::tokenizer
