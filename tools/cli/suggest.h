#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::cli {

/// `. Did you mean '--imatrix'?`, or nothing if no candidate is near.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

}  // namespace sluice::cli
