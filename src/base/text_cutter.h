#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct pcre2_real_code_8;

namespace sluice {

/// Cuts texts where a regular expression of PCRE2's dialect matches. Its classes are Unicode's: \s has
/// every space, \p{L} the letters of all scripts.
class TextCutter {
 public:
  /// \param pattern  ours, and right; it matches nothing that is empty, and takes no more than a few
  ///                 steps for each character
  explicit TextCutter(const std::string& pattern);

  /// Appends the lengths of the pieces of `text`, none of them empty: what matches, and what is left
  /// between. Nothing is seen of what lies around the text.
  /// \param text  UTF-8
  void cut(std::string_view text, std::vector<std::size_t>& lengths) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };

  std::unique_ptr<pcre2_real_code_8, Free> code_;
};

}  // namespace sluice
