#pragma once

#include <span>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)

namespace sluice {

/// A file that a run reads or writes.
struct UsedFile {
  std::string path;
  std::string role;      ///< what it is to the user, as in "the report"
  bool written = false;  ///< or only read
};

/// Refuses files of which one is written and is another one too, under whatever name: by links, or
/// by spelling where there is no file yet. Devices and pipes may serve several times.
/// \throws Error (output_is_input if the other one is only read, else usage)
void refuse_shared_files(std::span<const UsedFile> files);

/// What helps where a file could not be opened or made: a cure for what the error number tells, as a
/// name that is too long or the limit of open files, and else `otherwise`.
std::string open_cure(int error_number, std::string_view otherwise);

}  // namespace sluice

#pragma GCC visibility pop
