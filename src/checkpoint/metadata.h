#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/config.h"
#include "sluice/gguf.h"

namespace sluice::checkpoint {

/// Writes the metadata of one architecture, whose name each key begins with. What has no value is
/// not written.
class Metadata {
 public:
  Metadata(gguf::Header& header, std::string_view architecture)
      : header_(header), architecture_(architecture) {}

  /// \param number  at most 32 bits
  void whole(std::string_view key, std::optional<std::uint64_t> number);
  /// One for each layer, of 31 bits.
  void wholes(std::string_view key, const std::vector<std::uint64_t>& numbers);
  void number(std::string_view key, std::optional<double> number);
  void truth(std::string_view key, std::optional<bool> truth);
  void set(std::string_view key, gguf::Value value);

 private:
  /// \throws Error (input_format) if a number is larger
  void expect_at_most(std::uint64_t most, std::string_view key, std::uint64_t number) const;

  gguf::Header& header_;
  std::string architecture_;
};

/// The keys that most families have in common.
/// \param layers  as `block_count` is to be
void common_keys(const Config& config, std::uint64_t layers, Metadata& out);

/// Experts of a layer; nothing if the model has none.
std::optional<std::uint64_t> expert_count(const Config& config);

/// 1 for each layer that looks at a window, else 0, as `layer_types` says.
/// \throws Error (input_format) if it does not say it of all
std::vector<std::uint8_t> window_layers(const Config& config, std::uint64_t layers);

/// Heads of the queries; of the keys, which are as many if nothing else is said.
std::uint64_t head_count(const Config& config);
std::uint64_t key_head_count(const Config& config);

/// `head_dim`, or what the embedding's width leaves for each head.
std::uint64_t head_size(const Config& config);

}  // namespace sluice::checkpoint
