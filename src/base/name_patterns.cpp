#include "base/name_patterns.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace sluice {
namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

std::string pattern_of(std::string_view name) {
  std::string pattern;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t dot = std::min(name.find('.', begin), name.size());
    const std::string_view part = name.substr(begin, dot - begin);
    pattern += is_number(part) ? "*" : part;
    if (dot < name.size()) pattern += '.';
    begin = dot + 1;
  }
  return pattern;
}

}  // namespace

std::string name_patterns(std::span<const std::string> names, std::size_t most) {
  struct Group {
    std::string text;
    std::size_t names = 0;
  };
  std::vector<Group> groups;
  std::map<std::string, std::size_t> places;
  for (const std::string& name : names) {
    std::string pattern = pattern_of(name);
    const auto [place, is_new] = places.emplace(std::move(pattern), groups.size());
    if (is_new) groups.push_back({name});
    Group& group = groups[place->second];
    if (++group.names > 1) group.text = place->first;
  }
  std::string text;
  std::size_t left = names.size();
  for (std::size_t i = 0; i < std::min(most, groups.size()); ++i) {
    const Group& group = groups[i];
    text += (i == 0 ? "" : ", ") + printable(group.text);
    if (group.names > 1) text += fmt::format(" ({})", group.names);
    left -= group.names;
  }
  if (left > 0) text += fmt::format(" and {} more", left);
  return text;
}

}  // namespace sluice
