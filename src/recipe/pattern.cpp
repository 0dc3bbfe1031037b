#include "recipe/pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string_view>

#include "base/text.h"
#include "recipe/required_text.h"
#include "sluice/error.h"

namespace sluice::recipe {
namespace {

// The automaton has a state or two for each character, repeated ones as often as they repeat, and
// the library walks through it recursively: a few hundred bytes of stack a state.
constexpr std::uint64_t kMostStates = 2048;

// Each may look through the whole name again at each of its characters, one in another too.
constexpr std::size_t kMostLookaheads = 2;

[[noreturn]] void refuse(const std::string& text, const std::string& why, const std::string& cure) {
  throw Error(ErrorCode::usage, fmt::format("the pattern '{}' {}", printable(text), why),
              {.cure = cure});
}

// All counts of `{n}`, `{n,}` and `{n,m}` multiplied, as if each repeated the others.
std::uint64_t repetitions(std::string_view text) {
  std::uint64_t product = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{') continue;
    std::uint64_t most = 1;
    for (++i; i < text.size() &&
              (std::isdigit(static_cast<unsigned char>(text[i])) != 0 || text[i] == ',');) {
      if (text[i] == ',') {
        ++i;
        continue;
      }
      std::uint64_t count = 0;
      const auto [end, error] = std::from_chars(text.data() + i, text.data() + text.size(), count);
      if (error != std::errc()) return kMostStates + 1;
      i = static_cast<std::size_t>(end - text.data());
      most = std::max(most, count);
    }
    if (most > kMostStates) return kMostStates + 1;
    product *= most;
    if (product > kMostStates) return product;
  }
  return product;
}

std::size_t lookaheads(std::string_view text) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find("(?", at)) != text.npos; at += 2) {
    if (at + 2 < text.size() && text[at + 2] != ':') ++count;
  }
  return count;
}

// `\1` and the like: matching them could take forever, and the library's own reading of their
// number overflows.
bool refers_back(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '\\') continue;
    ++i;
    if (std::isdigit(static_cast<unsigned char>(text[i])) != 0) return true;
  }
  return false;
}

std::regex compile(const std::string& text) {
  if (text.empty()) refuse(text, "is empty, and would match every tensor", "Write .* for that");
  if (text.size() > kMostStates) {
    refuse(text, fmt::format("is {} characters long", text.size()),
           fmt::format("Split it into rules of at most {}", kMostStates));
  }
  if (text.size() * repetitions(text) > kMostStates) {
    refuse(text, "repeats too much with its counts in braces", "Use + or * instead");
  }
  if (lookaheads(text) > kMostLookaheads) {
    refuse(text, fmt::format("looks ahead more than {} times", kMostLookaheads),
           "Split it into several rules");
  }
  if (refers_back(text)) {
    refuse(text, "refers back to a group, which could take forever to match",
           "Write the alternatives out");
  }
  try {
    return std::regex(
        text, std::regex::ECMAScript | std::regex::nosubs | std::regex_constants::__polynomial);
  } catch (const std::regex_error& error) {
    refuse(text, fmt::format("is no regular expression: {}", error.what()),
           "Put a backslash before characters that are meant as such");
  }
}

}  // namespace

Pattern::Pattern(const std::string& text) : required_(required_text(text)), regex_(compile(text)) {}

bool Pattern::found_in(const std::string& name) const {
  return name.find(required_) != name.npos && std::regex_search(name, regex_);
}

}  // namespace sluice::recipe
