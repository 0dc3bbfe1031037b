#pragma once

#include <regex>
#include <string>
#include <vector>

namespace sluice::cli {

/// Chooses names by patterns: shell patterns for the whole name (`blk.*.ffn_*`), or regular
/// expressions for any part of it. Without a pattern every name is chosen, else one that fits any.
class NameFilter {
 public:
  NameFilter() = default;
  /// \throws Error (usage) naming a regular expression that is none
  NameFilter(const std::vector<std::string>& patterns, bool regular_expressions);

  bool empty() const { return globs_.empty() && expressions_.empty(); }
  bool fits(const std::string& name) const;

 private:
  std::vector<std::string> globs_;
  std::vector<std::regex> expressions_;
};

}  // namespace sluice::cli
