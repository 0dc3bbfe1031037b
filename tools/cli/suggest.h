#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sluice::cli {

/// Edits that make one word of the other: a letter put in, left out, replaced, or two neighbours
/// swapped (optimal string alignment). Letter case does not count.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidate that `word` was likely meant to be, or an empty string if none is near: at most
/// one edit in three letters. Of equally near ones the first.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// `. Did you mean 'IQ1_M'?`, or nothing.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

}  // namespace sluice::cli
