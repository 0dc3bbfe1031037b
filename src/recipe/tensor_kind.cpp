#include "recipe/tensor_kind.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>

namespace sluice::recipe {
namespace {

bool contains(std::string_view name, std::string_view part) noexcept {
  return name.find(part) != std::string_view::npos;
}

struct KindName {
  std::string_view part;
  TensorKind kind;
};

// The first part that the name contains decides, so longer parts stand before their prefixes.
constexpr std::array kKindNames = {
    KindName{"attn_qkv.weight", TensorKind::attn_qkv},
    KindName{"attn_kv_b.weight", TensorKind::attn_kv_b},
    KindName{"attn_v.weight", TensorKind::attn_v},
    KindName{"attn_k.weight", TensorKind::attn_k},
    KindName{"attn_k", TensorKind::attn_k_part},
    KindName{"attn_q.weight", TensorKind::attn_q},
    KindName{"attn_q", TensorKind::attn_q_part},
    KindName{"attn_output.weight", TensorKind::attn_output},
    KindName{"ffn_up", TensorKind::ffn_up},
    KindName{"ffn_gate", TensorKind::ffn_gate},
    KindName{"ffn_down", TensorKind::ffn_down},
};

struct KeptName {
  std::string_view part;
  std::string_view reason;
};

constexpr std::string_view kRouter = "ffn_gate_inp.weight";

constexpr std::array kKeptByBoth = {
    KeptName{"_norm.weight", "kept: norm"},
    KeptName{kRouter, "kept: router"},
    KeptName{"ssm_conv1d", "kept: convolution"},
    KeptName{"attn_rel_b.weight", "kept: relative position bias"},
};

constexpr std::array kKeptByLlamaCpp = {
    KeptName{"ffn_gate_tid2eid.weight", "kept: router"},
    KeptName{"altup", "kept: small"},
    KeptName{"laurel", "kept: small"},
    KeptName{"per_layer_model_proj", "kept: small"},
    KeptName{"shortconv.conv.weight", "kept: convolution"},
    KeptName{"indexer.k_proj.weight", "kept: small"},
    KeptName{"indexer.q_proj.weight", "kept: small"},
    KeptName{"time_mix_first.weight", "kept: small"},
    KeptName{"time_mix_w0.weight", "kept: small"},
    KeptName{"time_mix_w1.weight", "kept: small"},
    KeptName{"time_mix_w2.weight", "kept: small"},
    KeptName{"time_mix_v0.weight", "kept: small"},
    KeptName{"time_mix_v1.weight", "kept: small"},
    KeptName{"time_mix_v2.weight", "kept: small"},
    KeptName{"time_mix_a0.weight", "kept: small"},
    KeptName{"time_mix_a1.weight", "kept: small"},
    KeptName{"time_mix_a2.weight", "kept: small"},
    KeptName{"time_mix_g1.weight", "kept: small"},
    KeptName{"time_mix_g2.weight", "kept: small"},
    KeptName{"time_mix_decay_w1.weight", "kept: small"},
    KeptName{"time_mix_decay_w2.weight", "kept: small"},
    KeptName{"time_mix_lerp_fused.weight", "kept: small"},
    KeptName{".position_embd", "kept: position embedding"},
    KeptName{"sam.pos_embd", "kept: position embedding"},
    KeptName{".rel_pos", "kept: position embedding"},
    KeptName{"sam.neck.", "kept: image encoder"},
    KeptName{"sam.net_", "kept: image encoder"},
    KeptName{".patch_embd", "kept: image encoder"},
    KeptName{".patch_merger", "kept: image encoder"},
    KeptName{"a.rvq.codebook", "kept: audio codebook"},
    KeptName{"mm.a.code_embd", "kept: audio codebook"},
};

constexpr std::array kKeptByIkLlamaCpp = {
    KeptName{"ssm_x.weight", "kept: small"},
    KeptName{"ssm_dt.weight", "kept: small"},
};

std::string_view find_reason(std::span<const KeptName> names, std::string_view name) noexcept {
  const auto it =
      std::ranges::find_if(names, [&](const KeptName& kept) { return contains(name, kept.part); });
  return it == names.end() ? std::string_view() : it->reason;
}

/// Dimensions as ggml counts them: trailing extents of 1 are none.
std::size_t dimensions(const gguf::Tensor& tensor) noexcept {
  std::size_t n = tensor.shape.size();
  while (n > 1 && tensor.shape[n - 1] == 1) --n;
  return n;
}

/// A factor of a low-rank adapter: `blk.0.attn_q.weight.lora_a`. It multiplies as weights do.
bool is_adapter_factor(std::string_view name) noexcept {
  return name.ends_with(".weight.lora_a") || name.ends_with(".weight.lora_b");
}

bool is_weight_number(TensorType type) noexcept {
  switch (type) {
    case TensorType::i8:
    case TensorType::i16:
    case TensorType::i32:
    case TensorType::i64:
    case TensorType::f64:
      return false;
    default:
      return true;
  }
}

}  // namespace

TensorKind kind_of(std::string_view name) noexcept {
  if (name == "output.weight") return TensorKind::output;
  if (name == "token_embd.weight") return TensorKind::token_embd;
  if (name == "per_layer_token_embd.weight") return TensorKind::per_layer_token_embd;
  const auto it = std::ranges::find_if(
      kKindNames, [&](const KindName& known) { return contains(name, known.part); });
  return it == kKindNames.end() ? TensorKind::other : it->kind;
}

int layer_of(std::string_view name) noexcept {
  constexpr std::string_view kPrefix = "blk.";
  int layer = -1;
  if (name.starts_with(kPrefix)) {
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), layer);
  }
  return layer;
}

bool is_router(std::string_view name) noexcept {
  return contains(name, kRouter);
}

std::string_view kept_reason(Mix mix, const gguf::Tensor& tensor) noexcept {
  const std::string_view name = tensor.name;
  if (dimensions(tensor) < 2) return "kept: 1-D";
  if (!name.ends_with("weight") && !is_adapter_factor(name)) return "kept: no weight";
  // ik_llama.cpp copies integers; llama.cpp fails on them and on F64.
  if (!is_weight_number(tensor.type)) return "kept: integer or F64";
  if (name == "position_embd.weight") return "kept: position embedding";
  if (name == "token_types.weight") return "kept: token types";
  if (const auto reason = find_reason(kKeptByBoth, name); !reason.empty()) return reason;
  return mix == Mix::llama_cpp ? find_reason(kKeptByLlamaCpp, name)
                               : find_reason(kKeptByIkLlamaCpp, name);
}

}  // namespace sluice::recipe
