#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace sluice::journal {

/// What several runs know of the output of which each makes a part: a text, of which each line but
/// the first tells what happened. It is only ever appended to, by one run at a time.
///
///     sluice parts COUNT XXH3-OF-BINDING BINDING
///     begun NUMBER | made NUMBER | cleared | whole
///
/// A line that is none of these, or has no end, does not count: it was cut off, and what it would
/// have told is found out again.
struct SharedRecord {
  std::uint32_t count = 0;       ///< of parts
  std::string binding;           ///< of the whole output, see Binding
  std::set<std::uint32_t> made;  ///< parts whose files have their names
  bool cleared = false;          ///< an older output's first file is gone
  bool whole = false;            ///< the first file has its name

  bool operator==(const SharedRecord&) const = default;
};

/// None if not even the first line is whole.
std::optional<SharedRecord> parse_shared_record(std::string_view text);

/// Lines, each with its end.
std::string first_line(std::uint32_t count, const std::string& binding);
std::string begun_line(std::uint32_t part);
std::string made_line(std::uint32_t part);
inline constexpr std::string_view kClearedLine = "cleared\n";
inline constexpr std::string_view kWholeLine = "whole\n";

}  // namespace sluice::journal
