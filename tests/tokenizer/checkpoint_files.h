#pragma once

// The small files of a checkpoint's folder, and listings of the metadata that were made of them.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "sluice/error.h"
#include "sluice/gguf.h"
#include "support/sha256.h"
#include "tokenizer/tokenizer.h"

namespace sluice::tokenizer {

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return (std::ostringstream() << file.rdbuf()).str();
}

/// A checkpoint's files in memory, which a test may change before it reads them.
struct CheckpointFiles {
  std::map<std::string, std::string> texts;
  Model model;
  std::string pre;

  /// Those of a folder that the tokenizer's reader asks for.
  static CheckpointFiles of_folder(const std::filesystem::path& folder) {
    CheckpointFiles files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      const std::string name = std::filesystem::relative(entry.path(), folder).string();
      if (entry.is_regular_file() && is_read(name)) files.texts[name] = read_text(entry.path());
    }
    return files;
  }

  Tokenizer read() const {
    Files files{.folder = "model", .texts = {}};
    for (const auto& [name, text] : texts) files.texts[name] = text;
    return tokenizer::read(files, model, pre);
  }

  /// The message that reading ends with.
  std::string error() const {
    try {
      read();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::input_format);
      EXPECT_FALSE(e.context().file.empty());
      EXPECT_FALSE(e.context().cure.empty());
      return e.what();
    }
    return "no error";
  }
};

inline std::optional<gguf::Value> find(const Tokenizer& tokenizer, std::string_view key) {
  for (const gguf::KeyValue& pair : tokenizer.metadata) {
    if (pair.key == key) return pair.value;
  }
  return std::nullopt;
}

inline std::vector<std::string> strings(const Tokenizer& tokenizer, std::string_view key) {
  const std::optional<gguf::Value> value = find(tokenizer, key);
  return value ? value->as_strings().value() : std::vector<std::string>{};
}

/// Elements of an array of numbers of 4 bytes.
template <class T>
std::vector<T> numbers(const Tokenizer& tokenizer, std::string_view key) {
  const std::optional<gguf::Value> value = find(tokenizer, key);
  if (!value) return {};
  constexpr std::size_t kHead = 12;
  std::vector<T> out((value->bytes.size() - kHead) / sizeof(T));
  std::memcpy(out.data(), value->bytes.data() + kHead, out.size() * sizeof(T));
  return out;
}

inline std::optional<std::uint64_t> id(const Tokenizer& tokenizer, const std::string& role) {
  const auto value = find(tokenizer, "tokenizer.ggml." + role + "_token_id");
  return value ? value->as_uint() : std::nullopt;
}

inline std::optional<bool> flag(const Tokenizer& tokenizer, const std::string& name) {
  const auto value = find(tokenizer, "tokenizer.ggml." + name);
  return value ? value->as_bool() : std::nullopt;
}

inline std::optional<std::string> text(const Tokenizer& tokenizer, std::string_view key) {
  const auto value = find(tokenizer, key);
  return value ? value->as_string() : std::nullopt;
}

/// What a listing has of a value: its bytes' checksum, count or size, and type.
inline nlohmann::json listed(const gguf::Value& value, const nlohmann::json& as) {
  nlohmann::json out = {{"key", as["key"]}};
  const std::span<const std::byte> bytes = value.bytes;
  const auto array = value.as_array();
  out["type"] = array ? "array[" + std::string(gguf::name(array->element)) + "]"
                      : std::string(gguf::name(value.type));
  const std::size_t head = array ? 12 : 8;
  if (array) out["count"] = array->count;
  if (as.contains("bytes")) out["bytes"] = bytes.size() - head;
  if (as.contains("sha256")) {
    out["sha256"] = testing_support::sha256(bytes.subspan(head));
  } else if (const auto texts = value.as_strings()) {
    out["value"] = *texts;
  } else if (const auto one = value.as_string()) {
    out["value"] = *one;
  } else if (const auto truth = value.as_bool()) {
    out["value"] = *truth;
  } else if (const auto number = value.as_uint()) {
    out["value"] = *number;
  }
  return out;
}

/// Compares metadata with a listing's entries of the tokenizer, less those whose keys are `excepted`.
/// \returns what differs, line by line
inline std::string differences(const Tokenizer& tokenizer, const nlohmann::json& listing,
                               const std::vector<std::string>& excepted = {}) {
  std::ostringstream out;
  std::map<std::string, nlohmann::json> expected;
  for (nlohmann::json entry : listing["kv"]) {
    entry.erase("head");
    entry.erase("tail");
    const std::string key = entry["key"];
    if (key.starts_with("tokenizer.")) expected[key] = entry;
  }
  for (const gguf::KeyValue& pair : tokenizer.metadata) {
    if (!expected.contains(pair.key)) out << pair.key << " is not expected\n";
  }
  for (const auto& [key, entry] : expected) {
    const auto value = find(tokenizer, key);
    if (!value) {
      out << key << " is missing\n";
      continue;
    }
    if (std::find(excepted.begin(), excepted.end(), key) != excepted.end()) continue;
    const nlohmann::json ours = listed(*value, entry);
    if (ours != entry) out << "wanted " << entry << "\n   got " << ours << "\n";
  }
  return out.str();
}

}  // namespace sluice::tokenizer
