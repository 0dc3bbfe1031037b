#pragma once

#include <span>
#include <string_view>

namespace sluice::cli {

/// What the parser's tables do not know of an option: the heading that it stands under in the help,
/// and what its value is called ("FILE", "FOLDER", "TYPE", "SIZE", ... which says how to complete
/// it; empty: as the parser has it).
struct OptionTopic {
  std::string_view option;  ///< longest name with dashes, or a positional's
  std::string_view topic;
  std::string_view value;
};

/// An option that is not listed stands under the group that it was given in the parser, or under
/// "Options", and its value is told from its name and the parser's type.
const OptionTopic* find_option_topic(std::string_view option);

/// Headings in the order in which they are shown. Others come before the last one.
std::span<const std::string_view> topic_order();

}  // namespace sluice::cli
