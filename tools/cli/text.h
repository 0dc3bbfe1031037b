#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/amounts.h"

namespace sluice::cli {

/// `2.4 G`, `310 M`, `12 k`.
std::string count_text(double count);

/// `1:02:03`, `2:03`, `0.4 s`.
std::string time_text(double seconds);

/// `1 thread`, `8 threads`.
std::string thread_text(int threads);

/// Bits a weight of so many bytes.
double bits_of(std::uint64_t bytes, std::uint64_t weights);

/// `4096 x 14336 x 8`.
std::string shape_text(const std::vector<std::uint64_t>& shape);

/// A file's or tensor's name with control characters made visible, so that a hostile name cannot
/// drive the terminal.
std::string printable(const std::string& text);

/// A command, quoted for a shell, without what of URLs is not to be shown.
std::string command_line(const std::vector<std::string>& words);

}  // namespace sluice::cli
