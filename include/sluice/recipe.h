#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"
#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Whose rules choose each tensor's type.
enum class Mix {
  llama_cpp,     ///< llama.cpp v0.5.0; loads everywhere
  ik_llama_cpp,  ///< ik_llama.cpp of August 2026; loads there only
};

/// A file type as users name it: `IQ1_M`, `Q8_0`.
struct FileType {
  std::string_view name;  ///< upper case
  std::uint32_t number;   ///< `general.file_type`
  TensorType type;        ///< what most tensors get, and all of them with `pure`
  bool has_mix;           ///< false: only `pure` makes sense, all tensors get `type`
};

/// The file types that can be asked for.
std::span<const FileType> file_types() noexcept;

/// A file type by name, in any letter case, or null.
const FileType* find_file_type(std::string_view name) noexcept;

/// What is to be made.
struct RecipeOptions {
  Mix mix = Mix::llama_cpp;
  const FileType* file_type = nullptr;
  bool pure = false;         ///< all quantizable tensors get file_type->type
  bool has_imatrix = false;  ///< some rules choose better types without one
};

/// What a rule decided for one tensor.
struct TypeChoice {
  TensorType type;
  std::string rule;       ///< why, in a few words: "default", "output: no row rule", …
  bool needs_importance;  ///< a very-low-bit type, which is useless without an importance row
};

/// Chooses the type of each tensor of a model, in the order in which the peer's program meets them
/// (some rules count the tensors of a kind).
///
/// \param model  metadata (architecture, layers, heads, experts) and all tensors of all parts
/// \returns one choice per tensor, in the order of `model.tensors`
/// \throws Error (usage, input_format) if no type fits
std::vector<TypeChoice> choose_types(const RecipeOptions& options, const gguf::Header& model);

}  // namespace sluice

#pragma GCC visibility pop
