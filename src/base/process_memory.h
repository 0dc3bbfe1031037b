#pragma once

#include <cstdint>

namespace sluice {

/// Bytes of anonymous memory that the process holds now: heap, stacks, private buffers; not mapped
/// files. 0 where the system does not tell.
std::uint64_t anonymous_bytes() noexcept;

}  // namespace sluice
