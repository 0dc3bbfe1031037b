#pragma once

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "sluice/gguf.h"

// Maps of types that are folded over the layers, as tests/data/mixes/README.md says.

namespace sluice::recipe_test {

/// A tensor's name with `*` for its layer, and the layer or -1.
inline std::pair<std::string, int> without_layer(const std::string& name) {
  const std::string prefix = "blk.";
  int layer = -1;
  if (!name.starts_with(prefix)) return {name, layer};
  const auto [end, error] =
      std::from_chars(name.data() + prefix.size(), name.data() + name.size(), layer);
  if (error != std::errc()) return {name, -1};
  return {prefix + "*" + end, layer};
}

/// "q6_k*2 q4_k" as three words.
inline std::vector<std::string> unfold(const std::string& runs) {
  std::vector<std::string> types;
  std::istringstream words(runs);
  for (std::string word; words >> word;) {
    const std::size_t star = word.find('*');
    const int count = star == word.npos ? 1 : std::stoi(word.substr(star + 1));
    types.insert(types.end(), static_cast<std::size_t>(count), word.substr(0, star));
  }
  return types;
}

/// The types of a folded map, tensor by tensor; empty for tensors that it leaves out.
inline std::vector<std::string> unfold(const gguf::Header& model, const nlohmann::json& map) {
  std::map<std::string, std::vector<std::pair<int, std::size_t>>> groups;
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const auto [name, layer] = without_layer(model.tensors[i].name);
    groups[name].push_back({layer, i});
  }
  std::vector<std::string> types(model.tensors.size());
  for (auto& [name, members] : groups) {
    if (!map.contains(name)) continue;
    std::ranges::stable_sort(members, {}, &std::pair<int, std::size_t>::first);
    const auto listed = unfold(map[name].get<std::string>());
    for (std::size_t i = 0; i < members.size(); ++i) types[members[i].second] = listed.at(i);
  }
  return types;
}

}  // namespace sluice::recipe_test
