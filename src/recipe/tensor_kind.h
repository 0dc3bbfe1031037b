#pragma once

#include <string_view>

#include "sluice/gguf.h"
#include "sluice/recipe.h"

namespace sluice::recipe {

/// What a tensor does in the model, as far as any rule tells tensors apart.
enum class TensorKind {
  output,                ///< `output.weight`
  token_embd,            ///< `token_embd.weight`
  per_layer_token_embd,  ///< `per_layer_token_embd.weight` (Gemma 3n)
  attn_qkv,              ///< query, key and value in one matrix
  attn_kv_b,             ///< keys and values out of the latent vector (DeepSeek)
  attn_v,
  attn_k,
  attn_k_part,  ///< other steps to the keys: `attn_k_b`, `attn_kv_a_mqa`
  attn_q,
  attn_q_part,  ///< other steps to the queries: `attn_q_a`, `attn_q_b`
  attn_output,
  ffn_up,  ///< dense, of experts, or shared by all tokens; so are the next two
  ffn_gate,
  ffn_down,
  other,
};

/// The kind of a tensor from its name.
TensorKind kind_of(std::string_view name) noexcept;

/// The number of the block that a tensor belongs to, or -1: `blk.7.attn_q.weight` is of 7.
int layer_of(std::string_view name) noexcept;

/// A router, which no peer quantizes unless told to.
bool is_router(std::string_view name) noexcept;

/// Why a peer never quantizes a tensor, in a few words, or nothing if it may be quantized.
std::string_view kept_reason(Mix mix, const gguf::Tensor& tensor) noexcept;

}  // namespace sluice::recipe
