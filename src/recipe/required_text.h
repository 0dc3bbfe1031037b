#pragma once

#include <string>
#include <string_view>

namespace sluice::recipe {

/// A text that every name has in which a regular expression (ECMAScript) is found; empty if none is
/// evident. The longest run of plain characters outside groups: `.ffn_down` of
/// `blk\.(0|1)\.ffn_down`. Looking for it takes a hundredth of the time of matching, and a recipe
/// may have a rule for each of a thousand tensors.
std::string required_text(std::string_view pattern);

}  // namespace sluice::recipe
