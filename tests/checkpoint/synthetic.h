#pragma once

// Checkpoints that tests make, mostly by changing one of the tiny ones.

#include <cstring>
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
      nlohmann::json header = nlohmann::json::object();
      std::string data;
      std::size_t i = 0;
      for (const auto& [name, tensor] : tensors) {
        if (i++ % parts != part) continue;
        header[name] = {{"dtype", tensor.dtype},
                        {"shape", tensor.shape},
                        {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
        data += tensor.bytes;
      }
      const std::string text = header.dump();
      const std::uint64_t length = text.size();
      std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
      fixture->add_part("model-" + std::to_string(part) + ".safetensors", bytes + text + data);
    }
    fixture->allow_reading();
    return fixture;
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
