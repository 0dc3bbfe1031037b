#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "imatrix/layout.h"

namespace sluice::imatrix {

// The older format (see index_dat) of what a layout's file holds, as llama.cpp makes it of the same
// sums. A tensor's calls are the chunks that the most tokens of one of its matrices fill, the last
// one in part; its values are means of squares times the calls, where a matrix that saw no token has
// ones for means. There is no place for counts nor for a chunk's size, and several data sets are one,
// joined by ", " as a reader joins them.

/// Bytes of the file.
/// \throws Error (usage) if a tensor has more values than the format can count
std::uint64_t dat_size(const Layout& sums);

/// Gives bytes from an offset of the layout's file on.
using ReadSums = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;
/// Takes the next bytes of the file in the older format.
using WriteDat = std::function<void(std::span<const std::byte> bytes)>;

/// Makes the file of sums that are all there, from beginning to end.
/// \throws Error of `read` and `write`; input_value if a value is beyond the format's numbers
void write_dat(const Layout& sums, const ReadSums& read, const WriteDat& write);

}  // namespace sluice::imatrix
