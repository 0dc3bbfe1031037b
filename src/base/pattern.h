#pragma once

#include <memory>
#include <string>
#include <string_view>

struct pcre2_real_code_8;

namespace sluice {

/// A regular expression over names, in the dialect of llama.cpp and ik_llama.cpp (ECMAScript as the
/// C++ standard library reads it), matched by PCRE2. What PCRE2 would read as something else than
/// they do, or they would refuse, is refused.
class Pattern {
 public:
  /// \throws Error (usage) if the pattern is empty or no regular expression of that dialect
  explicit Pattern(const std::string& text);

  /// Whether the pattern is found anywhere in the name. Any thread may ask.
  /// \throws Error (usage) if that takes more steps or memory than any sensible pattern does
  bool found_in(std::string_view name) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };

  std::string text_;
  std::unique_ptr<pcre2_real_code_8, Free> code_;
};

}  // namespace sluice
