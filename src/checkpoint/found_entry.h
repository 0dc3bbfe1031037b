#pragma once

#include <string>

#include "checkpoint/folder.h"
#include "sluice/error.h"

namespace sluice::checkpoint {

/// An entry of a part's header.
struct FoundEntry {
  const Folder* folder;
  std::size_t part;
  const Entry* entry;

  Place place() const { return {part, entry->offset, entry->size}; }
};

/// \throws Error about the entry. input_format: the files contradict one another; input_type: what
///         they say is not read
[[noreturn]] void refuse(const FoundEntry& found, const std::string& message,
                         ErrorCode code = ErrorCode::input_format);

}  // namespace sluice::checkpoint
