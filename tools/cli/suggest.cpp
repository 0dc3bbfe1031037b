#include "suggest.h"

#include <fmt/format.h>

#include <vector>

#include "sluice/nearest_name.h"

namespace sluice::cli {

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  const std::vector<std::string_view> names(candidates.begin(), candidates.end());
  const std::string_view meant = nearest_name(word, names);
  return meant.empty() ? "" : fmt::format(". Did you mean '{}'?", meant);
}

}  // namespace sluice::cli
