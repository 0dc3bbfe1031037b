#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "recipe/choose_types.h"
#include "sluice/gguf.h"

namespace sluice::recipe_test {

/// Adds a number, a string, a truth value, or an array of numbers to a model's metadata.
inline void add_metadata(gguf::Header& model, const std::string& key, const nlohmann::json& v) {
  gguf::Value value;
  if (v.is_string()) {
    const auto text = v.get<std::string>();
    value = gguf::Value::of(std::string_view(text));
  } else if (v.is_boolean()) {
    value = gguf::Value::of(v.get<bool>());
  } else if (v.is_number_integer()) {
    value = gguf::Value::of(v.get<std::uint32_t>());
  } else if (v.is_array()) {
    value = gguf::Value::of_ints(v.get<std::vector<std::int32_t>>());
  } else {
    value = gguf::Value::of(v.get<float>());
  }
  model.metadata.push_back({key, std::move(value)});
}

inline gguf::Tensor make_tensor(std::string name, std::vector<std::uint64_t> shape,
                                TensorType type = TensorType::bf16) {
  gguf::Tensor tensor;
  tensor.name = std::move(name);
  tensor.shape = std::move(shape);
  tensor.type = type;
  return tensor;
}

/// A model's header with the types that the peers chose, by column: "llama.cpp" and
/// "ik_llama.cpp" for the mix, "llama.cpp pure" and "ik_llama.cpp pure". An empty type is one that
/// the peer has no answer for.
struct ExpectedMap {
  gguf::Header model;
  std::map<std::string, std::vector<std::string>> columns;
};

inline TensorType type_named(const std::string& name) {
  const TensorTypeInfo* found = find_tensor_type(name);
  EXPECT_NE(found, nullptr) << name;
  return found == nullptr ? TensorType::f32 : found->type;
}

/// Reads tests/data/mixes/NAME.map.json. Tensors are objects, or rows under a "columns" array.
inline ExpectedMap read_map(const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_DATA) + "/mixes/" + name + ".map.json");
  EXPECT_TRUE(file) << name;
  const auto json = nlohmann::json::parse(file);
  ExpectedMap map;
  if (json.contains("metadata")) {
    for (const auto& [key, value] : json["metadata"].items()) add_metadata(map.model, key, value);
  }
  for (const auto& entry : json["tensors"]) {
    nlohmann::json row = entry;
    if (entry.is_array()) {
      row = nlohmann::json::object();
      for (std::size_t i = 0; i < entry.size(); ++i) {
        row[json["columns"][i].get<std::string>()] = entry[i];
      }
    }
    map.model.tensors.push_back(make_tensor(row["name"].get<std::string>(),
                                            row["shape"].get<std::vector<std::uint64_t>>(),
                                            type_named(row["source"].get<std::string>())));
    for (const auto& [key, value] : row.items()) {
      if (!key.starts_with("llama.cpp") && !key.starts_with("ik_llama.cpp")) continue;
      map.columns[key].push_back(value.is_null() ? "" : value.get<std::string>());
    }
  }
  return map;
}

inline RecipeOptions options(Mix mix, std::string_view file_type, bool pure = false) {
  return {.mix = mix, .file_type = find_file_type(file_type), .pure = pure};
}

}  // namespace sluice::recipe_test
