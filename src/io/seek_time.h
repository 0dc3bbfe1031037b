#pragma once

#include <optional>
#include <span>

#include "io/file.h"

namespace sluice::io {

/// Measures how long the files' disk takes for a read elsewhere: the median of a few single pages
/// at scattered places, past the page cache, in seconds. Places differ from call to call, so that
/// no cache below answers in the disk's stead. Takes a tenth of a second on a hard disk.
/// \returns nothing where it cannot be measured: no direct reads, or nothing to read far apart
std::optional<double> measure_seek(std::span<const File* const> files);

}  // namespace sluice::io
