#include "api/earlier_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>

#include "io/sink.h"
#include "sluice/error.h"

namespace sluice {
namespace {

std::optional<std::uint64_t> size_of_file(const std::string& path) {
  std::error_code failed;
  const std::uint64_t size = std::filesystem::file_size(path, failed);
  return failed ? std::nullopt : std::optional(size);
}

std::vector<std::uint64_t> sizes_found(const std::string& work_path) {
  std::vector<std::uint64_t> sizes;
  while (const auto size = size_of_file(io::work_name_of(work_path, sizes.size()))) {
    sizes.push_back(*size);
  }
  return sizes;
}

// The first working name of a file that is not of the size that a run gave it, which it does at
// once: an empty one was only just made, and holds nothing that could be lost.
std::string first_foreign(const OutputNames& names, std::span<const std::uint64_t> made) {
  for (std::size_t no = 0; no < std::max(names.parts.size(), made.size()); ++no) {
    std::string name = io::work_name_of(names.work_path, no);
    const std::uint64_t size = size_of_file(name).value_or(0);
    if (size > 0 && (no >= made.size() || size != made[no])) return name;
  }
  return {};
}

void require_ours(const OutputNames& names, const EarlierFiles& earlier,
                  const std::string& journal) {
  const std::string cure = "Name another output; or, if nothing needs it, remove it";
  const std::string foreign = first_foreign(names, earlier.part_sizes);
  if (!foreign.empty() && earlier.contents) {
    throw Error(ErrorCode::resume_refused,
                "has not the size that its journal speaks of, so it may be another program's",
                {.file = foreign, .cure = cure + " and pass --restart to begin anew"});
  }
  if (!foreign.empty()) {
    throw Error(ErrorCode::output_open,
                fmt::format("would be overwritten, and is no working file of sluice's: {}",
                            earlier.journal ? "what has its journal's name is damaged, or another "
                                              "program's"
                                            : "it has no journal"),
                {.file = foreign, .cure = cure});
  }
  if (earlier.journal && !earlier.contents && size_of_file(names.work_path).value_or(0) == 0) {
    throw Error(ErrorCode::output_open, "would be overwritten, and is no journal of sluice's",
                {.file = journal, .cure = cure});
  }
}

}  // namespace

EarlierFiles look_at_earlier(const OutputNames& names, const journal::Binding& now) {
  const journal::Journal journal(names.work_path + ".journal");
  EarlierFiles earlier;
  earlier.journal = journal.there();
  earlier.contents = journal.load();
  if (earlier.contents) earlier.binding = journal::parse_binding(earlier.contents->binding);
  if (earlier.binding) {
    earlier.part_sizes = earlier.binding->part_sizes;
  } else if (earlier.contents) {
    earlier.part_sizes = sizes_found(names.work_path);
  } else if (earlier.journal) {
    // Damaged, or not ours. Of files that have the sizes of this run's it is the former.
    earlier.part_sizes = now.part_sizes;
  }
  require_ours(names, earlier, journal.path());
  return earlier;
}

journal::Difference difference(const EarlierFiles& earlier, const journal::Binding& now,
                               bool same_input) {
  if (!earlier.binding) return {"it was made by another version of sluice"};
  return journal::difference(*earlier.binding, now, same_input);
}

}  // namespace sluice
