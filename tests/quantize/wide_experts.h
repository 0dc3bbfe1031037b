#pragma once

// A Llama 4 whose experts are wide enough for super-blocks, of random weights, with importances.

#include <random>
#include <string>

#include "base/float16.h"
#include "checkpoint/synthetic.h"
#include "support/gguf_builder.h"

namespace sluice {

inline std::string random_bf16(std::uint64_t count, std::mt19937& random) {
  std::normal_distribution<float> normal(0, 0.02f);
  std::string bytes;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint16_t half = f32_to_bf16(normal(random));
    bytes.append(reinterpret_cast<const char*>(&half), sizeof half);
  }
  return bytes;
}

inline constexpr std::uint64_t kWideRow = 512;     // of what goes into an expert
inline constexpr std::uint64_t kWideInside = 768;  // of what is inside
inline constexpr std::uint64_t kWideExperts = 2;

/// Layer 1 has two experts.
inline checkpoint::Synthetic wide_experts() {
  checkpoint::Synthetic model("llama4_scout");
  auto& config = model.config["text_config"];
  config["hidden_size"] = kWideRow;
  config["intermediate_size"] = kWideInside;
  config["num_hidden_layers"] = 2;
  config["num_local_experts"] = kWideExperts;
  config["no_rope_layers"] = nullptr;
  std::erase_if(model.tensors, [](const auto& tensor) {
    return tensor.first.find("layers.2.") != std::string::npos ||
           tensor.first.find("layers.3.") != std::string::npos;
  });
  std::mt19937 random(1);
  for (auto& [name, tensor] : model.tensors) {
    const auto has = [&name = name](const char* part) { return name.find(part) != name.npos; };
    if (!name.starts_with("language_model.")) continue;
    const bool attention = has("self_attn");
    for (std::uint64_t& extent : tensor.shape) {
      if (extent == 32 && !attention) extent = kWideRow;
      if (extent % 24 == 0 && has("expert")) extent = extent / 24 * kWideInside;
      if (extent == 4 && (has("router") || has("experts."))) extent = kWideExperts;
    }
    // What is wide goes into q, k and v, and comes out of o.
    if (attention) tensor.shape[has("o_proj") ? 0 : 1] = kWideRow;
    std::uint64_t count = 1;
    for (const std::uint64_t extent : tensor.shape) count *= extent;
    tensor.bytes = random_bf16(count, random);
  }
  return model;
}

/// An importance matrix, in the old form, with a row for each expert of layer 1.
inline void write_wide_imatrix(const std::string& path) {
  using testing_support::put;
  using testing_support::put_bytes;
  std::mt19937 random(2);
  std::uniform_real_distribution<float> some(0.01f, 1);
  testing_support::Bytes file;
  const std::vector<std::pair<std::string, std::uint64_t>> rows = {
      {"blk.1.ffn_gate_exps.weight", kWideRow},
      {"blk.1.ffn_up_exps.weight", kWideRow},
      {"blk.1.ffn_down_exps.weight", kWideInside}};
  put(file, static_cast<std::int32_t>(rows.size()));
  for (const auto& [name, columns] : rows) {
    put(file, static_cast<std::int32_t>(name.size()));
    put_bytes(file, name.data(), name.size());
    put(file, std::int32_t{1});
    put(file, static_cast<std::int32_t>(columns * kWideExperts));
    for (std::uint64_t i = 0; i < columns * kWideExperts; ++i) put(file, some(random));
  }
  testing_support::write_file(path, file);
}

}  // namespace sluice
