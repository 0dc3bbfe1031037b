#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/options.h"

/// Reading an option's value, one function for each type that a value has. All throw Error (usage)
/// that quotes what is wrong and says what would be right.
namespace sluice::option_values {

/// The index of `value` in a choice's list.
std::size_t place_in_choice(const Option& option, std::string_view value);

/// A number from `least` to `most`.
std::uint64_t whole_number(std::string_view value, std::uint64_t least, std::uint64_t most);
double number(std::string_view value, double least, double most);

/// Bytes, of which a number may have decimals. A unit K, M, G, T, P or E, also as KB, is a `thousand` of the one before; KiB and so on
/// are always 1024 of it. In any letter case.
std::uint64_t size(std::string_view value, std::uint64_t thousand);

void read(const Option& option, std::string_view value, std::string& to);
void read(const Option& option, std::string_view value, bool& to);
void read(const Option& option, std::string_view value, Isa& to);
void read(const Option& option, std::string_view value, std::optional<TensorType>& to);
void read(const Option& option, std::string_view value, std::vector<std::string>& to);

/// An enumeration whose values are in the order of the choice's list.
template <typename Enumeration>
void read(const Option& option, std::string_view value, Enumeration& to) {
  to = static_cast<Enumeration>(place_in_choice(option, value));
}

}  // namespace sluice::option_values
