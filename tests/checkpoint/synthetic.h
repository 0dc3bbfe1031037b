#pragma once

// Checkpoints that tests make, mostly by changing one of the tiny ones.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/evaluate.h"
#include "checkpoint/fixture.h"

namespace sluice::checkpoint {

struct SyntheticTensor {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::string bytes;
};

template <class T>
std::string packed_bytes(const std::vector<T>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T)};
}

/// Numbers that BF16 has exactly.
inline std::string bf16_bytes(const std::vector<float>& numbers) {
  std::string bytes;
  for (const float number : numbers) {
    std::uint32_t bits;
    std::memcpy(&bits, &number, sizeof bits);
    if (bits << 16 != 0) throw std::runtime_error("no number of BF16");
    bytes += static_cast<char>(bits >> 16);
    bytes += static_cast<char>(bits >> 24);
  }
  return bytes;
}

class Synthetic {
 public:
  nlohmann::json config;
  std::map<std::string, SyntheticTensor> tensors;
  std::map<std::string, std::string, std::less<>> texts;
  std::string path;

  Synthetic() = default;
  /// One of the tiny checkpoints.
  explicit Synthetic(const std::string& name) {
    const Fixture fixture(name);
    path = fixture.folder.path;
    texts = fixture.folder.texts;
    texts.erase(std::string(kIndexFile));
    config = nlohmann::json::parse(texts["config.json"]);
    for (std::size_t part = 0; part < fixture.folder.parts.size(); ++part) {
      for (const Entry& entry : fixture.folder.parts[part].entries) {
        const auto bytes = fixture.at({part, entry.offset, entry.size});
        tensors[entry.name] = {std::string(checkpoint::name(entry.dtype)),
                               entry.shape,
                               {reinterpret_cast<const char*>(bytes.data()), bytes.size()}};
      }
    }
  }

  /// Takes a tensor out under a name.
  SyntheticTensor take(const std::string& name) {
    auto node = tensors.extract(name);
    if (node.empty()) throw std::runtime_error("no tensor " + name);
    return std::move(node.mapped());
  }

  /// Gives each tensor the name that `rename` makes of its own.
  template <class Rename>
  void rename_all(Rename rename) {
    std::map<std::string, SyntheticTensor> renamed;
    for (auto& [name, tensor] : tensors) renamed[rename(name)] = std::move(tensor);
    tensors = std::move(renamed);
  }

  /// \param parts  that the tensors are dealt out to
  std::unique_ptr<Fixture> make(std::size_t parts = 1) const {
    auto fixture = std::make_unique<Fixture>();
    fixture->folder.path = path;
    fixture->folder.model_name = std::filesystem::path(path).filename();
    fixture->folder.texts = texts;
    fixture->folder.texts["config.json"] = config.dump();
    for (std::size_t part = 0; part < parts; ++part) {
      fixture->add_part("model-" + std::to_string(part) + ".safetensors", part_bytes(part, parts));
    }
    fixture->allow_reading();
    return fixture;
  }

  /// Writes a checkpoint's folder, with the tokenizer of the one that was changed.
  void write(const std::string& folder, std::size_t parts = 1) const {
    namespace fs = std::filesystem;
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(path.empty() ? folder : path)) {
      const std::string file = entry.path().filename().string();
      if (file.starts_with("tokenizer")) fs::copy_file(entry.path(), folder + "/" + file);
    }
    for (const auto& [name, text] : texts) write_text(folder + "/" + name, text);
    write_text(folder + "/config.json", config.dump());
    nlohmann::json index = {{"metadata", nlohmann::json::object()},
                            {"weight_map", nlohmann::json::object()}};
    for (std::size_t part = 0; part < parts; ++part) {
      const std::string file = part_name(part, parts);
      write_text(folder + "/" + file, part_bytes(part, parts));
      for (const auto& [name, tensor] : part_tensors(part, parts)) index["weight_map"][name] = file;
    }
    if (parts > 1) write_text(folder + "/" + std::string(kIndexFile), index.dump());
  }

 private:
  using Entries = std::vector<std::pair<std::string, const SyntheticTensor*>>;

  static std::string part_name(std::size_t part, std::size_t parts) {
    if (parts == 1) return "model.safetensors";
    return fmt::format("model-{:05}-of-{:05}.safetensors", part + 1, parts);
  }

  static void write_text(const std::string& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary);
    if (!(out << text).flush()) throw std::runtime_error("cannot write " + file);
  }

  /// In the order of published files: wide numbers first, then by name.
  Entries part_tensors(std::size_t part, std::size_t parts) const {
    Entries entries;
    std::size_t i = 0;
    for (const auto& [name, tensor] : tensors) {
      if (i++ % parts == part) entries.emplace_back(name, &tensor);
    }
    std::ranges::stable_sort(entries, std::greater(), [](const auto& entry) {
      const std::string& dtype = entry.second->dtype;
      return dtype.ends_with("64") ? 8 : dtype.ends_with("32") ? 4 : dtype.ends_with("16") ? 2 : 1;
    });
    return entries;
  }

  std::string part_bytes(std::size_t part, std::size_t parts) const {
    nlohmann::json header = nlohmann::json::object();
    std::string data;
    for (const auto& [name, tensor] : part_tensors(part, parts)) {
      header[name] = {{"dtype", tensor->dtype},
                      {"shape", tensor->shape},
                      {"data_offsets", {data.size(), data.size() + tensor->bytes.size()}}};
      data += tensor->bytes;
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text + data;
  }
};

/// A matrix of elements of `size` bytes with rows and columns exchanged.
inline std::string transposed_bytes(const std::string& bytes, std::size_t rows, std::size_t columns,
                                    std::size_t size) {
  std::string out;
  for (std::size_t column = 0; column < columns; ++column) {
    for (std::size_t row = 0; row < rows; ++row) {
      out += bytes.substr((row * columns + column) * size, size);
    }
  }
  return out;
}

}  // namespace sluice::checkpoint
