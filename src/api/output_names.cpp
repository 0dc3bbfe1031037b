#include "api/output_names.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "gguf/split.h"
#include "io/output_check.h"

namespace sluice {
namespace {

// The file that gets the output's bytes: a link stays, and what it leads to is replaced.
std::string target_of(const std::string& output) {
  std::error_code failed;
  if (!std::filesystem::is_symlink(output, failed)) return output;
  const std::filesystem::path target = std::filesystem::canonical(output, failed);
  return failed ? output : target.string();
}

// The file, or where its name leaves no room for what follows a working name, at the longest
// `.part.journal.damaged-9`, what it begins with and a hash that tells it from others.
std::string with_room(const std::string& file) {
  constexpr std::size_t kRoom = std::string_view(".part.journal.damaged-9").size();
  const std::filesystem::path path = file;
  const std::string name = path.filename();
  const std::size_t most = io::longest_name(file) - kRoom;
  if (name.size() <= most) return file;
  const std::string hash = fmt::format("~{:016x}", XXH3_64bits(name.data(), name.size()));
  std::size_t cut = most - hash.size();
  while (cut > 0 && (static_cast<std::uint8_t>(name[cut]) & 0xc0) == 0x80) --cut;  // whole UTF-8
  return path.parent_path() / (name.substr(0, cut) + hash);
}

}  // namespace

std::string working_file(const QuantizeOptions& options) {
  const std::string share =
      options.share.any() ? fmt::format(".{}", options.share.number) : std::string();
  return with_room(options.split.any() ? gguf::stem_of(options.output) + share + ".gguf"
                                       : target_of(options.output)) +
         ".part";
}

std::string record_file(const QuantizeOptions& options) {
  return with_room(gguf::stem_of(options.output) + ".gguf") + ".parts";
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

std::vector<std::string> outputs_beside(const std::string& output, const OutputNames& names,
                                        std::span<const std::string> inputs) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const fs::path stem = gguf::stem_of(output);
  const auto same = [&](const fs::path& file, const std::string& other) {
    return fs::equivalent(file, other, failed);
  };
  std::vector<std::string> beside;
  for (const fs::directory_entry& entry : fs::directory_iterator(
           stem.has_parent_path() ? stem.parent_path() : fs::path("."), failed)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(".gguf") || gguf::stem_of(name) != stem.filename()) continue;
    const auto is_part = [&](const io::SinkPart& part) {  // which need not be there yet
      return fs::path(part.path).filename() == name || same(entry.path(), part.path);
    };
    const auto is_input = [&](const std::string& input) { return same(entry.path(), input); };
    const bool known =
        std::ranges::any_of(names.parts, is_part) || std::ranges::any_of(inputs, is_input);
    if (!known) beside.push_back(name);
  }
  std::ranges::sort(beside);
  return beside;
}

std::string split_text(const SplitOptions& split) {
  if (split.max_bytes > 0) return fmt::format(", split at {} bytes", split.max_bytes);
  if (split.max_tensors > 0) return fmt::format(", split at {} tensors", split.max_tensors);
  return split.keep ? ", split as the input" : "";
}

}  // namespace sluice
