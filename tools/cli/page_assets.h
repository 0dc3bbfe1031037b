#pragma once

#include <string_view>

namespace sluice::cli {

// The files of page/, put into the program when it is built.
extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;
/// What a policy calls the script: `sha256-…`.
extern const std::string_view kPageScriptHash;

}  // namespace sluice::cli
