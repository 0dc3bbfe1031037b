#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::cli {

/// A file whose divergence from the model was measured, as by llama-perplexity.
struct MeasuredFile {
  std::uint64_t bytes = 0;
  double divergence = 0;  ///< mean KL divergence, in nats
  std::string name;       ///< may be empty
};

/// Reads a table of them: a line for each, of bytes, divergence and name, with spaces or tabs between.
/// Empty lines and those that begin with # are left out.
/// \throws Error (input_open, input_format) naming the line
std::vector<MeasuredFile> read_measured_files(const std::string& path);

}  // namespace sluice::cli
