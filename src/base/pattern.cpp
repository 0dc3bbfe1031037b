#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice {
namespace {

// Thousands of times what a sensible pattern needs for a tensor's name; passed in milliseconds.
constexpr std::uint32_t kMostSteps = 100'000;
constexpr std::uint32_t kMostHeapKiB = 16 * 1024;

// "." is neither \r nor \n, so both must end lines. A match may begin between the two all the same
// if the pattern refers to one of them, be it for no time.
constexpr std::string_view kSuffix = "\\n{0}";

// The tokens that ECMAScript and PCRE2 read alike. Not among them are escapes of letters that PCRE2
// has more of (\A, \Q), octal numbers, (?<…), (*…), a brace that is no count, and a + behind a
// quantifier, which makes it possessive in PCRE2 and repeats the repetition in the C++ library.
constexpr char kToken[] = R"(
    \\[bB] (?![*+?{])
  | \\[1-9] (?!\d)
  | (?<escape> \\ (?: [dDsSwWfnrt] | 0(?!\d) | x[[:xdigit:]]{2} | u00[[:xdigit:]]{2} | [^a-zA-Z0-9]))
  | (?! \[] [*+?{] ) \[ \^? (?: (?&escape) | \\b | [^]\\[] | \[(?![:.=])
      | \[: (?: al(?:num|pha) | blank | cntrl | digit | graph | lower | p(?:rint|unct) | space
              | upper | xdigit) :] )* ]
  | \( (?: \?[:=!] | (?![?*]) )
  | \)
  | (?: [*+?] | \{\d+ (?: ,\d* )? } ) \?? (?!\+)
  | [^\\[(){*+?]+ )";

[[noreturn]] void refuse(std::string_view text, std::string_view why, const std::string& cure) {
  throw Error(ErrorCode::usage, fmt::format("the pattern '{}' {}", printable(text), why),
              {.cure = cure});
}

// PCRE2 makes no object only where there is no memory.
template <class Object>
Object* made(Object* object) {
  if (object == nullptr) throw std::bad_alloc();
  return object;
}

pcre2_code* compile(std::string_view text, std::uint32_t options) {
  static pcre2_compile_context* const kContext = [] {
    pcre2_compile_context* context = made(pcre2_compile_context_create(nullptr));
    pcre2_set_newline(context, PCRE2_NEWLINE_ANYCRLF);
    return context;
  }();
  const std::string whole = fmt::format("{}{}", text, kSuffix);
  int error = 0;
  std::size_t at = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(whole.data()), whole.size(),
                                   options, &error, &at, kContext);
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    refuse(text,
           fmt::format("is no regular expression: {} (at character {})",
                       reinterpret_cast<const char*>(message.data()), std::min(at, text.size())),
           "Put a backslash before characters that are meant as such");
  }
  return code;
}

struct Match {
  int result;       ///< negative if there is none
  std::size_t end;  ///< in the subject
};

Match match(const pcre2_code* code, std::string_view subject, std::size_t at,
            std::uint32_t options) {
  static pcre2_match_context* const kLimits = [] {
    pcre2_match_context* limits = made(pcre2_match_context_create(nullptr));
    pcre2_set_match_limit(limits, kMostSteps);
    pcre2_set_heap_limit(limits, kMostHeapKiB);
    return limits;
  }();
  const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      made(pcre2_match_data_create(1, nullptr)), pcre2_match_data_free);
  const int result = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(),
                                 at, options, data.get(), kLimits);
  return {result, result < 0 ? 0 : pcre2_get_ovector_pointer(data.get())[1]};
}

// Groups that are open and closed so far: references may be to closed ones only.
class Groups {
 public:
  // What stands behind the token is looked at too: nothing repeats a look ahead.
  bool take(std::string_view token, std::string_view behind) {
    if (token == "(") {
      open_.push_back(++captures_);
    } else if (token.front() == '(') {
      open_.push_back(token == "(?:" ? kPlain : kLookahead);
    } else if (token == ")" && !open_.empty()) {
      const int group = open_.back();
      open_.pop_back();
      if (group > 0) closed_.insert(group);
      return group != kLookahead || behind.find_first_of("*+?{") != 0;
    } else if (token.front() == '\\' && token[1] >= '1' && token[1] <= '9') {
      return closed_.contains(token[1] - '0');
    }
    return true;
  }

 private:
  static constexpr int kPlain = 0;
  static constexpr int kLookahead = -1;
  std::vector<int> open_;  ///< the number of each that captures
  std::set<int> closed_;
  int captures_ = 0;
};

void check_dialect(std::string_view text) {
  static const pcre2_code* const kTokens = compile(kToken, PCRE2_EXTENDED | PCRE2_ANCHORED);
  Groups groups;
  for (std::size_t at = 0; at < text.size();) {
    const Match token = match(kTokens, text, at, 0);
    if (token.result < 0 || !groups.take(text.substr(at, token.end - at), text.substr(token.end))) {
      refuse(text,
             fmt::format("has, at character {}, what llama.cpp and ik_llama.cpp refuse or read "
                         "otherwise",
                         at + 1),
             "Write it in the syntax of ECMAScript's regular expressions, without escaped letters");
    }
    at = token.end;
  }
}

pcre2_code* compile_checked(const std::string& text) {
  if (text.empty()) refuse(text, "is empty, and would match every tensor", "Write .* for that");
  check_dialect(text);
  return compile(text, PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_ALT_BSUX);
}

}  // namespace

void Pattern::Free::operator()(pcre2_code* code) const {
  pcre2_code_free(code);
}

Pattern::Pattern(const std::string& text) : text_(text), code_(compile_checked(text)) {}

bool Pattern::found_in(std::string_view name) const {
  const int result = match(code_.get(), name, 0, 0).result;
  if (result >= 0 || result == PCRE2_ERROR_NOMATCH) return result >= 0;
  if (result == PCRE2_ERROR_NOMEMORY) throw std::bad_alloc();
  refuse(text_, fmt::format("takes too long to be looked for in {}", printable(name)),
         "Write it without repetitions within repetitions, as in (a+)+");
}

}  // namespace sluice
