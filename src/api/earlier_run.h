#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "api/output_names.h"
#include "journal/binding.h"
#include "journal/journal.h"

namespace sluice {

/// What lies under an output's working names before a run begins.
struct EarlierFiles {
  bool journal = false;                       ///< a file of its name is there
  std::optional<journal::Contents> contents;  ///< none: no journal, or one that cannot be read
  std::optional<journal::Binding> binding;    ///< none: another version's, or no contents
  /// Bytes of each file that an earlier run gave a working name, as far as is known.
  std::vector<std::uint64_t> part_sizes;
};

/// Looks, and changes nothing.
/// \param now  what this run depends on
/// \throws Error (output_open) if the journal cannot be read; (resume_refused, output_open) if a file
///         of a working name was not left by a run of sluice: it would be lost
EarlierFiles look_at_earlier(const OutputNames& names, const journal::Binding& now);

/// What keeps a run bound to `now` from going on with them; see journal::difference.
journal::Difference difference(const EarlierFiles& earlier, const journal::Binding& now,
                               bool same_input);

}  // namespace sluice
