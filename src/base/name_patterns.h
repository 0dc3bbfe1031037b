#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace sluice {

/// Tensors' names for a sentence: those that differ in numbers between dots only are one pattern
/// with how many there are, `blk.*.ffn_down.weight (32)`, in the order of the first of each.
/// \param most  patterns that are shown; of the rest the number of names is told, "and 7 more"
std::string name_patterns(std::span<const std::string> names, std::size_t most = 4);

}  // namespace sluice
