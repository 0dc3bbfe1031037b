#include "checkpoint/model_card.h"

#include <yaml-cpp/yaml.h>

#include <optional>

#include "base/text.h"

namespace sluice::checkpoint {
namespace {

/// What is between the first line, which is `---`, and the next such line.
std::optional<std::string> front_matter(std::string_view readme) {
  constexpr std::size_t kLongestFrontMatter = 1u << 20;
  std::string text;
  bool begun = false;
  while (!readme.empty() && text.size() <= kLongestFrontMatter) {
    const std::size_t end = readme.find('\n');
    std::string_view line = readme.substr(0, end);
    readme.remove_prefix(end == readme.npos ? readme.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line == "---") {
      if (begun) return text;
      begun = true;
    } else if (!begun) {
      return std::nullopt;
    } else {
      text.append(line).append("\n");
    }
  }
  return std::nullopt;
}

void take(const YAML::Node& node, std::vector<std::string>& texts) {
  if (node.IsScalar() && is_plain_utf8(node.Scalar())) texts.push_back(node.Scalar());
}

}  // namespace

ModelCard parse_model_card(std::string_view readme) {
  const std::optional<std::string> text = front_matter(readme);
  if (!text) return {};
  ModelCard card;
  try {
    const YAML::Node root = YAML::Load(*text);
    if (!root.IsMap()) return {};
    for (const auto& pair : root) {
      if (!pair.first.IsScalar()) continue;
      std::vector<std::string> texts;
      take(pair.second, texts);
      if (pair.second.IsSequence()) {
        for (const YAML::Node& element : pair.second) take(element, texts);
      }
      if (!texts.empty()) card.emplace(pair.first.Scalar(), std::move(texts));
    }
  } catch (const YAML::Exception&) {
    return {};  // it is for people, and many are written by hand
  }
  return card;
}

}  // namespace sluice::checkpoint
