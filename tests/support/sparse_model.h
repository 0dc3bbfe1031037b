#pragma once

// Models as large as real ones that take no disk: a header, and a hole for the data.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice::testing_support {

/// Writes a model with the metadata and the tensors of tests/data/mixes/NAME.map.json, in BF16 but
/// for what is F32 there, and a vocabulary of 200000 tokens.
/// \returns the file's size
inline std::uint64_t write_sparse_model(const std::string& path, const std::string& name) {
  std::ifstream file(std::string(SLUICE_TEST_DATA) + "/mixes/" + name + ".map.json");
  const auto json = nlohmann::json::parse(file);
  GgufBuilder builder;
  for (const auto& [key, value] : json["metadata"].items()) {
    if (value.is_string()) builder.string(key, value.get<std::string>());
    if (value.is_number_unsigned()) builder.u32(key, value.get<std::uint32_t>());
  }
  std::vector<std::string> tokens;
  for (int i = 0; i < 200000; ++i) tokens.push_back("token " + std::to_string(i));
  builder.strings("tokenizer.ggml.tokens", tokens);
  std::uint64_t offset = 0;
  for (const auto& row : json["tensors"]) {
    const auto shape = row[1].get<std::vector<std::uint64_t>>();
    const bool f32 = row[2] == "f32";
    builder.tensor(row[0].get<std::string>(), shape, f32 ? 0 : 30, {}, offset);
    std::uint64_t size = f32 ? 4 : 2;
    for (const std::uint64_t extent : shape) size *= extent;
    offset += (size + 31) / 32 * 32;
  }
  const Bytes header = builder.build();
  write_file(path, header);
  std::filesystem::resize_file(path, header.size() + offset);
  return header.size() + offset;
}

}  // namespace sluice::testing_support
