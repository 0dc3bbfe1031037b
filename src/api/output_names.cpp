#include "api/output_names.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "gguf/split.h"

namespace sluice {
namespace {

// The file that gets the output's bytes: a link stays, and what it leads to is replaced.
std::string target_of(const std::string& output) {
  std::error_code failed;
  if (!std::filesystem::is_symlink(output, failed)) return output;
  const std::filesystem::path target = std::filesystem::canonical(output, failed);
  return failed ? output : target.string();
}

}  // namespace

std::string working_file(const QuantizeOptions& options) {
  return (options.split.any() ? gguf::stem_of(options.output) + ".gguf"
                              : target_of(options.output)) +
         ".part";
}

OutputNames names_of(const QuantizeOptions& options, std::span<const OutputPart> parts) {
  OutputNames names{.work_path = working_file(options), .parts = {}};
  const std::string stem = gguf::stem_of(options.output);
  for (std::size_t no = 0; no < parts.size(); ++no) {
    names.parts.push_back({.path = options.split.any() ? gguf::part_file(stem, no, parts.size())
                                                       : target_of(options.output),
                           .begin = parts[no].begin,
                           .size = parts[no].size});
  }
  return names;
}

std::string split_text(const SplitOptions& split) {
  if (split.max_bytes > 0) return fmt::format(", split at {} bytes", split.max_bytes);
  if (split.max_tensors > 0) return fmt::format(", split at {} tensors", split.max_tensors);
  return split.keep ? ", split as the input" : "";
}

}  // namespace sluice
