#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/pattern.h"
#include "base/text.h"
#include "recipe/recipe_text.h"
#include "sluice/error.h"

namespace sluice {
namespace {

constexpr std::string_view kBlanks = " \t\v\f";
constexpr const char* kWriteRule = "Write NAME=TYPE, as in ffn_down=q6_k";

// What no tensor's name has, so that a rule with it would silently match nothing.
constexpr std::array<std::string_view, 8> kNeverInNames = {"'", "\"", "`", "“",
                                                           "”", "‘",  "’", "\u00a0"};

[[noreturn]] void refuse_rule(std::string_view text, std::string_view why, std::string cure) {
  throw Error(ErrorCode::usage, fmt::format("'{}' {}", printable(text), why),
              {.cure = std::move(cure)});
}

/// One rule's text, and the signs in it that no bracket holds, as those of (?=…) are.
struct RuleText {
  std::string_view text;
  std::size_t signs = 0;
  std::size_t last_sign = std::string_view::npos;
};

/// The rule that `line` begins with: it ends at a blank, or at a comma outside of brackets, as a
/// pattern may count {1,2}.
RuleText first_rule(std::string_view line) {
  RuleText rule;
  int open = 0;
  bool in_class = false;
  std::size_t i = 0;
  for (; i < line.size() && kBlanks.find(line[i]) == kBlanks.npos; ++i) {
    const char c = line[i];
    if (c == '\\' && i + 1 < line.size() && kBlanks.find(line[i + 1]) == kBlanks.npos) {
      ++i;
    } else if (in_class) {
      in_class = c != ']';
    } else if (c == '[') {
      in_class = true;
    } else if (c == '(' || c == '{') {
      ++open;
    } else if (c == ')' || c == '}') {
      open = std::max(0, open - 1);
    } else if (c == ',' && open == 0) {
      break;
    } else if (c == '=' && open == 0) {
      ++rule.signs;
      rule.last_sign = i;
    }
  }
  rule.text = line.substr(0, i);
  return rule;
}

TypeRule parse_rule(const RuleText& rule, bool lower_case) {
  const std::string_view text = rule.text;
  for (const std::string_view part : kNeverInNames) {
    if (text.find(part) == text.npos) continue;
    refuse_rule(text,
                fmt::format("has a {}, which no tensor's name has",
                            part == "\u00a0" ? "no-break space" : part),
                "Leave it out: quotation marks are for the shell only");
  }
  if (rule.signs > 1) {
    refuse_rule(text, "names more than one type", "Put a comma or a blank between rules");
  }
  // Without a sign outside of brackets these do not match each other, which Pattern says better.
  const std::size_t sign = rule.signs == 1 ? rule.last_sign : text.rfind('=');
  if (sign == text.npos) refuse_rule(text, "is no rule for types", kWriteRule);
  if (sign + 1 == text.size()) refuse_rule(text, "is a rule that names no type", kWriteRule);
  std::string pattern(text.substr(0, sign));
  if (lower_case) pattern = lower(pattern);
  try {
    const TensorType type = parse_tensor_type(text.substr(sign + 1));
    static_cast<void>(Pattern(pattern));  // refuses it here, where it is written
    return {std::move(pattern), type};
  } catch (const Error& error) {
    throw Error::about(fmt::format("rule '{}'", printable(text)), error);
  }
}

/// Appends the rules of one line.
void parse_line(std::string_view line, bool lower_case, std::vector<TypeRule>& rules) {
  for (bool first = true;; first = false) {
    const std::size_t begin = line.find_first_not_of(" \t\v\f,");
    if (begin == line.npos) return;
    line.remove_prefix(begin);
    if (line.front() == '#') {
      if (first || line.find('=') == line.npos) return;
      // Lines that were joined: what follows the first comment would be lost.
      refuse_rule(line, "is a comment behind a rule, and may hide other rules",
                  "Put it on a line of its own");
    }
    const RuleText rule = first_rule(line);
    rules.push_back(parse_rule(rule, lower_case));
    line.remove_prefix(rule.text.size());
  }
}

std::vector<TypeRule> parse_rules(std::string_view text, bool lower_case) {
  constexpr std::string_view kByteOrderMark = "\ufeff";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<TypeRule> rules;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    parse_line(text.substr(0, end), lower_case, rules);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (rules.empty()) throw Error(ErrorCode::usage, "there is no rule", {.cure = kWriteRule});
  return rules;
}

}  // namespace

std::vector<TypeRule> parse_tensor_rules(std::string_view text) {
  return parse_rules(text, true);
}

std::vector<TypeRule> parse_custom_rules(std::string_view text) {
  return parse_rules(text, false);
}

}  // namespace sluice
