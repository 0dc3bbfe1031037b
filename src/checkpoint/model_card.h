#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::checkpoint {

/// The front matter of a README.md: keys, each with a text or several. Values of other kinds are
/// left out.
using ModelCard = std::map<std::string, std::vector<std::string>>;

/// Nothing where the text has no front matter, or none that is YAML.
ModelCard parse_model_card(std::string_view readme);

}  // namespace sluice::checkpoint
