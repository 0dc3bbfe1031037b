#pragma once

// The tiny checkpoints of tests/data/checkpoints, whole, and what llama.cpp's converter made of
// them.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/read_checkpoint.h"

namespace sluice::checkpoint {

inline const std::string kCheckpoints = SLUICE_TEST_DATA "/checkpoints/";

/// Names of all tiny checkpoints, in order.
inline std::vector<std::string> fixture_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kCheckpoints)) {
    if (std::filesystem::exists(entry.path() / "config.json")) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// A checkpoint in memory.
struct Fixture {
  Folder folder;
  std::vector<std::string> data;  ///< the parts' bytes

  Fixture() = default;
  explicit Fixture(const std::string& name) {
    namespace fs = std::filesystem;
    folder.path = kCheckpoints + name;
    folder.model_name = name;
    std::vector<std::string> files;
    for (const auto& entry : fs::directory_iterator(folder.path)) {
      files.push_back(entry.path().filename().string());
      if (!files.back().ends_with(".safetensors") && !files.back().starts_with("tokenizer")) {
        folder.texts[files.back()] = read_text(entry.path().string());
      }
    }
    if (const std::string* const index = folder.text(kIndexFile)) {
      folder.index = parse_index(*index, folder.file(kIndexFile));
    }
    for (const std::string& part : part_files(folder.path, files, folder.index)) {
      add_part(part, read_text(folder.file(part)));
    }
    allow_reading();
  }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  void add_part(const std::string& file, std::string bytes) {
    const std::uint64_t start = data_offset(bytes_of(bytes), bytes.size(), file);
    folder.parts.push_back({file, parse_header(bytes_of(bytes).first(start), bytes.size(), file)});
    data.push_back(std::move(bytes));
  }

  std::span<const std::byte> at(const Place& place) const {
    return bytes_of(data.at(place.part)).subspan(place.offset, place.size);
  }

  void allow_reading() {
    folder.read = [this](const Place& place) {
      const auto bytes = at(place);
      return std::vector<std::byte>(bytes.begin(), bytes.end());
    };
  }
};

}  // namespace sluice::checkpoint
