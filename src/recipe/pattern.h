#pragma once

#include <regex>
#include <string>

namespace sluice::recipe {

/// A regular expression over tensor names, in the dialect of the peers (ECMAScript of the C++
/// standard library). Patterns come from recipe files that anybody may have written, so they are
/// matched breadth first, in polynomial time and bounded memory, where the peers backtrack.
class Pattern {
 public:
  /// \throws Error (usage) if the pattern is empty, too long, no regular expression, or has
  ///         back-references
  explicit Pattern(const std::string& text);

  /// Whether the pattern is found anywhere in the name.
  bool found_in(const std::string& name) const;

 private:
  std::string required_;  ///< looked for first
  std::regex regex_;
};

}  // namespace sluice::recipe
