#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Whose rules choose each tensor's type.
enum class Mix {
  llama_cpp,     ///< llama.cpp v0.5.0; loads everywhere
  ik_llama_cpp,  ///< ik_llama.cpp of August 2026; loads there only
};

/// "llama.cpp", "ik_llama.cpp".
std::string_view name(Mix mix) noexcept;

/// A file type as users name it: `IQ1_M`, `Q4_K_M`. Each has a mix, by whose rules some tensors get
/// other types than its own.
struct FileType {
  std::string_view name;  ///< upper case
  std::uint32_t number;   ///< `general.file_type`
  TensorType type;        ///< what most tensors get, and all of them with `pure`
  bool in_llama_cpp;      ///< one that llama.cpp has
  bool in_ik_llama_cpp;   ///< one that ik_llama.cpp has
  bool copy = false;      ///< COPY: all tensors keep their types

  bool in(Mix mix) const { return mix == Mix::llama_cpp ? in_llama_cpp : in_ik_llama_cpp; }
};

/// The file types that can be asked for, aliases (`Q4_K` for `Q4_K_M`) included.
std::span<const FileType> file_types() noexcept;

/// A file type by name, in any letter case, or by number, or null. Of several names for a number
/// the first counts, as in llama-quantize; 38 is `MXFP4_MOE` in llama.cpp and `MXFP4` in
/// ik_llama.cpp.
const FileType* find_file_type(std::string_view text, Mix mix = Mix::llama_cpp) noexcept;

/// Gives the tensors whose names match a type.
struct TypeRule {
  /// A regular expression (ECMAScript), searched for in the name. Without back-references, of
  /// moderate length: matching takes polynomial time whatever the pattern.
  std::string pattern;
  TensorType type;
};

/// Types for kinds of tensors, ik_llama.cpp's options `--attn-q-type` and so on.
struct KindTypes {
  std::optional<TensorType> attn_q = {};
  std::optional<TensorType> attn_k = {};
  std::optional<TensorType> attn_v = {};
  std::optional<TensorType> attn_qkv = {};
  std::optional<TensorType> attn_output = {};
  std::optional<TensorType> ffn_gate = {};
  std::optional<TensorType> ffn_down = {};
  std::optional<TensorType> ffn_up = {};
};

/// What is to be made. Where several settings concern a tensor, the first in this order decides:
/// `leave_output`; the types of single tensors (`output_tensor`, `token_embedding`,
/// `per_layer_token_embedding`, `ffn_gate_inp`); `tensor_types`; `pure`; `custom_types`; `kinds`;
/// the mix.
struct RecipeOptions {
  Mix mix = Mix::llama_cpp;
  const FileType* file_type = nullptr;
  bool pure = false;          ///< all quantizable tensors get file_type->type
  bool leave_output = false;  ///< `output.weight` keeps its type
  /// `output.weight`, or, outside `pure`, the token embedding that serves as output.
  std::optional<TensorType> output_tensor = {};
  /// `token_embd.weight`; with llama.cpp's mix also `per_layer_token_embd.weight`.
  std::optional<TensorType> token_embedding = {};
  std::optional<TensorType> per_layer_token_embedding = {};
  std::optional<TensorType> ffn_gate_inp = {};  ///< the routers, else kept
  /// llama.cpp's `--tensor-type`: the last that matches counts. Not looked at for file types
  /// without blocks (F32, F16, BF16).
  std::vector<TypeRule> tensor_types = {};
  /// ik_llama.cpp's `--custom-q`: the first that matches counts. Not looked at with `pure`, and for
  /// file types without blocks.
  std::vector<TypeRule> custom_types = {};
  /// Not looked at with `pure`. In ik_llama.cpp's mixes of few bits (IQ1_*, IQ2_XXS to IQ2_M) only
  /// `attn_output` is, as there.
  KindTypes kinds = {};
};

}  // namespace sluice

#pragma GCC visibility pop
