#include "name_filter.h"

#include <fnmatch.h>

#include <algorithm>

#include "sluice/error.h"

namespace sluice::cli {
namespace {

// The standard library's matcher recurses for each character; keys may have 64 KiB.
constexpr std::size_t kLongestSearched = 1024;

}  // namespace

NameFilter::NameFilter(const std::vector<std::string>& patterns, bool regular_expressions) {
  if (!regular_expressions) {
    globs_ = patterns;
    return;
  }
  for (const std::string& pattern : patterns) {
    try {
      expressions_.emplace_back(pattern, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error&) {
      throw Error(ErrorCode::usage, "'" + pattern + "' is not a regular expression",
                  {.cure = "Without --regex it is taken as a shell pattern, as in 'blk.*.ffn_*'"});
    }
  }
}

bool NameFilter::fits(const std::string& name) const {
  if (empty()) return true;
  return std::any_of(globs_.begin(), globs_.end(),
                     [&](const std::string& glob) {
                       return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
                     }) ||
         std::any_of(expressions_.begin(), expressions_.end(), [&](const std::regex& expression) {
           return std::regex_search(name.substr(0, kLongestSearched), expression);
         });
}

}  // namespace sluice::cli
