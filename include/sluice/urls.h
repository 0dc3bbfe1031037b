#pragma once

#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace sluice {

/// Whether a file's name is a URL of the network: https://, http:// or hf://.
bool is_url(std::string_view name);

/// A file's name as it may be shown and kept: of a URL the user's name and password and the values
/// of the query, which may be signatures, are `***`. Other names stay as they are.
std::string masked(std::string_view name);

}  // namespace sluice

#pragma GCC visibility pop
