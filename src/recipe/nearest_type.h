#pragma once

#include <string_view>
#include <vector>

namespace sluice {

/// The type or file type that `text` was likely meant to be: by what it says of family, bits and
/// size (`Q5_K_L` is nearer to `Q5_K_M` than to `Q3_K_L`, `int8` is `Q8_0`), or else, by letters.
/// \returns a view of one of `names`, or nothing
std::string_view nearest_type(std::string_view text, const std::vector<std::string_view>& names);

}  // namespace sluice
