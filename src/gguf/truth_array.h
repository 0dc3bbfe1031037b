#pragma once

#include <cstdint>
#include <span>

#include "sluice/gguf.h"

namespace sluice::gguf {

/// An array of truth values, each 0 or 1.
Value truth_array(std::span<const std::uint8_t> truths);

}  // namespace sluice::gguf
