#pragma once

#include <span>

#include "io/file.h"

namespace sluice {

/// Measures how many bytes a second the files' disk gives, past the page cache: runs of 16 MiB at
/// scattered places, with as many reads under way as a run has. Places differ from call to call, so
/// that no cache below (of a disk, of a host) answers in the disk's stead.
/// \param seconds  how long; reads under way then are finished
/// \returns bytes a second; 0 if nothing could be read
double measure_reads(std::span<const io::File> files, double seconds) noexcept;

}  // namespace sluice
