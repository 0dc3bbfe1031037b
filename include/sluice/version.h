#pragma once

#include <string_view>

#pragma GCC visibility push(default)

namespace sluice {

/// The library's version, as in `1.2.3`.
std::string_view version() noexcept;

}  // namespace sluice

#pragma GCC visibility pop
