#pragma once

#include <string_view>
#include <vector>

#pragma GCC visibility push(default)

namespace sluice {

/// The name that `text` was likely meant to be, in any letter case, or nothing: at most one edit in
/// three letters away (a letter put in, left out or replaced, two neighbours swapped).
/// \returns a view of one of `names`
std::string_view nearest_name(std::string_view text, const std::vector<std::string_view>& names);

}  // namespace sluice

#pragma GCC visibility pop
