#pragma once

// The tiny checkpoints of tests/data with rows of several blocks, and random weights: wide enough
// for types of super-blocks, for tiles of a transposed matrix and for several blocks of factors.

#include <random>

#include "base/float16.h"
#include "checkpoint/synthetic.h"
#include "published/in_nvfp4.h"

namespace sluice::published {

using checkpoint::Synthetic;
using checkpoint::SyntheticTensor;
using nlohmann::json;

using Shape = std::vector<std::uint64_t>;
using Extents = std::map<std::uint64_t, std::uint64_t>;

/// By checkpoint, what becomes of the extents that are no counts: they fit one another as before.
inline const std::map<std::string, Extents> kWidened = {
    {"deepseek_v3_fp8",
     {{8, 64},
      {16, 128},
      {24, 256},
      {32, 320},
      {40, 512},
      {64, 512},
      {80, 1024},
      {128, 1280},
      {144, 640},
      {160, 1536}}},
    {"gpt_oss", {{16, 128}, {32, 256}, {64, 512}}},
    {"kimi_k2_int4",
     {{8, 64},
      {16, 128},
      {24, 448},
      {32, 512},
      {40, 256},
      {48, 512},
      {64, 512},
      {96, 768},
      {128, 1024}}},
    {"llama4_scout", {{8, 128}, {16, 256}, {24, 256}, {32, 512}, {48, 512}}},
    {"llama_fp8_ct", {{20, 256}, {40, 512}, {80, 1024}}},
    {"qwen3_moe_fused", {{16, 256}, {32, 512}, {40, 512}, {64, 1024}}},
};

class Widener {
 public:
  explicit Widener(const std::string& name) : made_(name), extents_(kWidened.at(name)) {
    widen(made_.config);
    if (made_.config.contains("text_config")) widen(made_.config["text_config"]);
    for (auto& [tensor_name, tensor] : made_.tensors) {
      tensor.shape = widened(tensor_name, tensor);
      fill(tensor_name, tensor);
    }
  }

  const Synthetic& made() const { return made_; }

 private:
  std::uint64_t wide(std::uint64_t extent) const {
    const auto it = extents_.find(extent);
    return it == extents_.end() ? extent : it->second;
  }

  void widen(json& config) const {
    for (const char* const key :
         {"hidden_size", "intermediate_size", "intermediate_size_mlp", "moe_intermediate_size",
          "head_dim", "q_lora_rank", "kv_lora_rank", "qk_nope_head_dim", "qk_rope_head_dim",
          "v_head_dim"}) {
      if (config.contains(key)) config[key] = wide(config[key]);
    }
  }

  /// The shape, which is already wide, of what another tensor belongs to: names are in order.
  std::optional<Shape> owner(const std::string& name, std::string_view end,
                             std::string_view owners_end) const {
    if (!name.ends_with(end)) return std::nullopt;
    const auto it =
        made_.tensors.find(name.substr(0, name.size() - end.size()) + std::string(owners_end));
    if (it == made_.tensors.end()) return std::nullopt;
    return it->second.shape;
  }

  Shape widened(const std::string& name, const SyntheticTensor& tensor) const {
    if (const auto blocks = owner(name, "_scales", "_blocks")) {
      return {blocks->begin(), blocks->end() - 1};
    }
    if (const auto weight = owner(name, "_scale_inv", "")) {
      return {((*weight)[0] + 127) / 128, ((*weight)[1] + 127) / 128};
    }
    if (const auto words = owner(name, "_scale", "_packed")) {
      return {(*words)[0], (*words)[1] * 8 / 32};
    }
    if (name.ends_with("_shape")) return tensor.shape;
    Shape shape = tensor.shape;
    const std::uint64_t in_one = name.ends_with("_packed") ? 8 : 1;
    for (std::uint64_t& extent : shape) extent = wide(extent);
    if (in_one > 1) shape.back() = wide(tensor.shape.back() * in_one) / in_one;
    if (name.ends_with("_blocks")) {  // [experts, rows, blocks, bytes]
      shape[2] = wide(tensor.shape[2] * 32) / 32;
      shape[3] = tensor.shape[3];
    }
    return shape;
  }

  void fill(const std::string& name, SyntheticTensor& tensor) {
    if (const auto words = owner(name, "_shape", "_packed")) {
      tensor.bytes = checkpoint::packed_bytes<std::uint32_t>(
          {static_cast<std::uint32_t>((*words)[0]), static_cast<std::uint32_t>((*words)[1] * 8)});
      return;
    }
    std::uint64_t count = 1;
    for (const std::uint64_t extent : tensor.shape) count *= extent;
    tensor.bytes.clear();
    for (std::uint64_t i = 0; i < count; ++i) append(name, tensor);
  }

  void append(const std::string& name, SyntheticTensor& tensor) {
    const auto put = [&](auto number) {
      tensor.bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
    };
    const std::uint32_t any = random_();
    // The sum of some bytes: nearly a normal distribution, the same with every library.
    const float normal =
        (static_cast<float>((any & 255) + (any >> 8 & 255) + (any >> 16 & 255) + (any >> 24)) -
         510) /
        5000;
    if (tensor.dtype == "BF16") {
      const bool factor = name.ends_with("_scale");
      put(f32_to_bf16(factor ? 0.01f + std::abs(normal) : normal));
    } else if (tensor.dtype == "F32") {
      put(0.01f + std::abs(normal));
    } else if (tensor.dtype == "F8_E4M3") {
      const std::uint8_t code = any & 0xff;
      put((code & 0x7f) == 0x7f ? std::uint8_t{0} : code);  // NaN
    } else if (tensor.dtype == "I32") {
      put(any);
    } else {
      put(name.ends_with("_scales") ? static_cast<std::uint8_t>(118 + any % 6)
                                    : static_cast<std::uint8_t>(any));
    }
  }

  Synthetic made_;
  const Extents& extents_;
  std::mt19937 random_{1};
};

/// Those in NVFP4, and what they are made of.
inline const std::map<std::string, std::string> kInNvfp4 = {
    {"deepseek_v3_nvfp4", "deepseek_v3_fp8"},
    {"llama4_scout_nvfp4", "llama4_scout"},
    {"llama_nvfp4_ct", "llama_fp8_ct"}};

/// \param name  one of kWidened or of kInNvfp4
inline Synthetic widened(const std::string& name) {
  if (const auto it = kInNvfp4.find(name); it != kInNvfp4.end()) {
    return InNvfp4(Widener(it->second).made(), !name.ends_with("_ct")).made();
  }
  return Widener(name).made();
}

}  // namespace sluice::published
