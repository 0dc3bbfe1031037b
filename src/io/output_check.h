#pragma once

#include <span>
#include <string>
#include <vector>

#include "io/sink.h"
#include "sluice/used_files.h"

namespace sluice::io {

/// Bytes that the name of a file in the folder of `path` may have.
std::size_t longest_name(const std::string& path);

/// Refuses an output of which any file, under either name, is one of the run's other files, has a
/// name that no file can have, or is there and no regular file: a device, a pipe or a link would be
/// replaced, a folder cannot be.
/// \param output  as the user named it
/// \throws Error (output_open, output_is_input, usage)
void check_output(const std::string& output, const std::string& work_path,
                  std::span<const SinkPart> parts, std::vector<UsedFile> others);

}  // namespace sluice::io
