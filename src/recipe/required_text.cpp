#include "recipe/required_text.h"

#include <cctype>
#include <cstddef>

namespace sluice::recipe {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

bool is_quantifier(char c) {
  return c == '*' || c == '+' || c == '?' || c == '{';
}

// Where the class that begins at `begin` ends: behind its bracket, or npos if that is unclear.
std::size_t end_of_class(std::string_view pattern, std::size_t begin) {
  std::size_t i = begin + 1;
  if (i < pattern.size() && pattern[i] == '^') ++i;
  if (i < pattern.size() && pattern[i] == ']') return pattern.npos;
  while (i < pattern.size() && pattern[i] != ']') {
    if (pattern[i] == '\\') {
      i += 2;
    } else if (pattern[i] == '[') {  // [:digit:]
      i = pattern.find(']', i + 1);
      if (i != pattern.npos) ++i;
    } else {
      ++i;
    }
  }
  return i < pattern.size() ? i + 1 : pattern.npos;
}

}  // namespace

std::string required_text(std::string_view pattern) {
  std::string longest;
  std::string run;
  const auto end_run = [&] {
    if (run.size() > longest.size()) longest = run;
    run.clear();
  };
  std::size_t depth = 0;
  for (std::size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    if (c == '[') {
      end_run();
      i = end_of_class(pattern, i);
      if (i == pattern.npos) return {};
      continue;
    }
    bool plain = is_word(c) || c == '_' || c == '-' || c == '/' || c == ' ';
    if (c == '\\') {
      if (i + 1 == pattern.size()) return {};
      c = pattern[++i];
      plain = !is_word(c);
      constexpr std::string_view kOneCharacter = "dDwWsSbB";
      if (!plain && kOneCharacter.find(c) == kOneCharacter.npos) return {};  // \x41, \u0041, \1
    } else if (c == '(') {
      end_run();
      ++depth;
    } else if (c == ')') {
      if (depth == 0) return {};
      --depth;
    } else if (c == '|' && depth == 0) {
      return {};  // what stands on one side need not be there
    } else if (is_quantifier(c) && i + 1 < pattern.size() && is_quantifier(pattern[i + 1])) {
      return {};  // a+* need not be there either
    } else if ((c == '*' || c == '?' || c == '{') && !run.empty()) {
      run.pop_back();  // may be there no time
    }
    ++i;
    if (depth > 0) continue;
    if (plain) {
      run += c;
    } else {
      end_run();
    }
    if (c == '{') {  // counts are no text
      i = pattern.find('}', i);
      if (i == pattern.npos) return {};
      ++i;
    }
  }
  end_run();
  return longest;
}

}  // namespace sluice::recipe
