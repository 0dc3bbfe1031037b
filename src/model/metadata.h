#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/error.h"
#include "sluice/gguf.h"

namespace sluice::model {

/// What descriptions of families ask of a model's header. Keys are without the architecture's name
/// before them: `embedding_length`. What is missing or has another shape than it must have is an
/// Error (input_format) that names it.
class Metadata {
 public:
  /// \param header  outlives this
  /// \throws Error if the header names no architecture
  Metadata(const gguf::Header& header, std::string file);

  const std::string& architecture() const { return architecture_; }

  bool has_key(std::string_view key) const { return find(key) != nullptr; }
  /// \pre the key's value is not negative, else it is an error
  std::uint64_t whole(std::string_view key) const;
  std::uint64_t whole(std::string_view key, std::uint64_t otherwise) const;
  /// Of a key that has one number for all layers, or one for each.
  std::uint64_t of_layer(std::string_view key, std::uint64_t layer) const;
  std::uint64_t of_layer(std::string_view key, std::uint64_t layer, std::uint64_t otherwise) const;
  /// Whether the n-th layer of a pattern is chosen: of an array of truth values or numbers, its
  /// own; of a number n, all but every n-th.
  bool in_pattern(std::string_view key, std::uint64_t layer, std::uint64_t otherwise) const;
  float number(std::string_view key) const;
  float number(std::string_view key, float otherwise) const;
  /// Of a key that has one number for all layers, or one for each.
  float number_of_layer(std::string_view key, std::uint64_t layer, float otherwise) const;
  bool flag(std::string_view key, bool otherwise) const;
  std::string word(std::string_view key, const std::string& otherwise) const;

  bool has(std::string_view tensor) const { return tensor_of(tensor) != nullptr; }
  /// The name of a matrix that must be there; or of a tensor of so many of them.
  std::string matrix(const std::string& tensor, std::uint64_t rows, std::uint64_t columns,
                     std::uint64_t matrices = 1) const;
  /// The name of a tensor of one row that must be there.
  std::string numbers(const std::string& tensor, std::uint64_t count) const;
  /// The same if it is there, else nothing.
  std::string numbers_if_any(const std::string& tensor, std::uint64_t count) const;

  const gguf::Tensor* tensor_of(std::string_view name) const;
  /// An error about this model. \param about  a key or tensor, or nothing
  Error error(ErrorCode code, const std::string& message, std::string_view about = {}) const;

 private:
  std::string full(std::string_view key) const;
  const gguf::Value* find(std::string_view key) const;
  const gguf::Value& need(std::string_view key) const;
  std::uint64_t whole_of(std::string_view key, const gguf::Value& value) const;
  float number_of(std::string_view key, const gguf::Value& value) const;

  const gguf::Header& header_;
  std::string file_;
  std::string architecture_;
};

/// "blk.3.attn_q.weight"
std::string of_block(std::uint64_t layer, std::string_view name);

}  // namespace sluice::model
