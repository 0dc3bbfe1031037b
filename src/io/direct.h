#pragma once

#include <cstdint>

#include "io/file.h"

namespace sluice::io {

/// Offsets, lengths and addresses of direct reads and writes are multiples of this. Devices ask for
/// 512 or 4096; one page suits both.
inline constexpr std::uint64_t kDirectAlignment = 4096;

/// A second descriptor of the file, for reads or writes past the page cache; closed where the file
/// system refuses (tmpfs, some FUSE) or asks for a coarser alignment than ours.
/// \param access  O_RDONLY or O_WRONLY
File open_direct(const File& file, int access);

}  // namespace sluice::io
