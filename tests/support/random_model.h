#pragma once

// Models of random weights, small enough to be run in a moment: what a program of another hand
// calculates of them is the truth for src/model. Weights are of a size that makes attention, routing
// and every bias matter to what comes out.

#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/gguf_builder.h"

namespace sluice::testing_support {

/// A model in F32, put together tensor by tensor.
class RandomModel {
 public:
  static constexpr std::uint64_t kVocabulary = 288;
  static constexpr std::uint64_t kWidth = 64;

  RandomModel(std::string architecture, std::uint32_t layers)
      : architecture_(std::move(architecture)), random_(layers) {
    builder_.string("general.architecture", architecture_);
    u32("block_count", layers).u32("context_length", 16384).u32("embedding_length", kWidth);
    u32("vocab_size", kVocabulary).f32("attention.layer_norm_rms_epsilon", 1e-5f);
    f32("rope.freq_base", 10000);
    vocabulary();
  }

  RandomModel& u32(const std::string& key, std::uint32_t v) {
    builder_.u32(architecture_ + "." + key, v);
    return *this;
  }
  /// A number for each layer.
  RandomModel& i32s(const std::string& key, const std::vector<std::int32_t>& v) {
    builder_.i32s(architecture_ + "." + key, v);
    return *this;
  }
  RandomModel& f32s(const std::string& key, const std::vector<float>& v) {
    builder_.f32s(architecture_ + "." + key, v);
    return *this;
  }
  RandomModel& bools(const std::string& key, const std::vector<std::uint8_t>& v) {
    builder_.bools(architecture_ + "." + key, v);
    return *this;
  }
  RandomModel& f32(const std::string& key, float v) {
    builder_.f32(architecture_ + "." + key, v);
    return *this;
  }
  RandomModel& boolean(const std::string& key, bool v) {
    builder_.boolean(architecture_ + "." + key, v);
    return *this;
  }
  RandomModel& string(const std::string& key, std::string_view v) {
    builder_.string(architecture_ + "." + key, v);
    return *this;
  }

  /// What is not all of one sign, or near one value.
  RandomModel& numbers(const std::string& name, std::vector<std::uint64_t> shape, float mean,
                       float deviation) {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) count *= extent;
    std::normal_distribution<float> normal(mean, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = normal(random_);
    builder_.tensor(name, std::move(shape), 0, bytes_of(values));
    return *this;
  }
  /// A matrix whose products with inputs of size one are of the size `gain`.
  RandomModel& matrix(const std::string& name, std::vector<std::uint64_t> shape, float gain = 1) {
    const float deviation = gain / std::sqrt(static_cast<float>(shape[0]));
    return numbers(name, std::move(shape), 0, deviation);
  }
  RandomModel& norm(const std::string& name, std::uint64_t n) {
    return numbers(name, {n}, 1, 0.3f);
  }
  RandomModel& bias(const std::string& name, std::vector<std::uint64_t> shape) {
    return numbers(name, std::move(shape), 0, 0.4f);
  }
  RandomModel& factors(const std::string& name, std::uint64_t n) {
    std::vector<float> values(n);
    for (std::uint64_t i = 0; i < n; ++i) values[i] = 1 + 0.5f * static_cast<float>(i);
    builder_.tensor(name, {n}, 0, bytes_of(values));
    return *this;
  }

  /// With an output matrix of its own, or with that of the embedding.
  Bytes build(bool output_matrix = true) {
    matrix("token_embd.weight", {kWidth, kVocabulary}, 1);
    if (output_matrix) matrix("output.weight", {kWidth, kVocabulary}, 1);
    numbers("output_norm.weight", {kWidth}, 2.5f, 0.6f);
    return builder_.build();
  }

 private:
  /// The kind of vocabulary that needs least: bytes, and a few pieces.
  void vocabulary() {
    std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types = {2, 3, 3};
    const std::string digits = "0123456789ABCDEF";
    for (const char high : digits) {
      for (const char low : digits) {
        tokens.push_back(std::string("<0x") + high + low + ">");
        types.push_back(6);
      }
    }
    for (std::uint64_t i = tokens.size(); i < kVocabulary; ++i) {
      tokens.push_back("piece" + std::to_string(i));
      types.push_back(1);
    }
    std::vector<float> scores(tokens.size());
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = -static_cast<float>(i);
    builder_.string("tokenizer.ggml.model", "llama").strings("tokenizer.ggml.tokens", tokens);
    builder_.f32s("tokenizer.ggml.scores", scores).i32s("tokenizer.ggml.token_type", types);
    builder_.u32("tokenizer.ggml.bos_token_id", 1).u32("tokenizer.ggml.eos_token_id", 2);
  }

  GgufBuilder builder_;
  std::string architecture_;
  std::mt19937 random_;
};

inline std::string blk(std::uint32_t layer, const std::string& name) {
  return "blk." + std::to_string(layer) + "." + name;
}

/// Attention with a query, key and value matrix each.
struct RandomAttention {
  std::uint32_t heads = 4;
  std::uint32_t key_heads = 2;
  std::uint32_t head_size = 16;
  std::uint32_t value_size = 0;  ///< 0: as large
  std::uint32_t rotated = 16;    ///< numbers of a head that positions turn
  bool biases = false;           ///< of queries, keys and values
  bool norms = false;            ///< of queries' and keys' heads
  bool joined = false;           ///< queries, keys and values have one matrix
  bool joint_norms = false;      ///< of all of them together
  bool norm_before = true;
  bool gated = false;  ///< behind each head's query is a gate

  void describe(RandomModel& model) const {
    model.u32("attention.head_count", heads).u32("attention.head_count_kv", key_heads);
    model.u32("attention.key_length", head_size).u32("attention.value_length", head_size);
    model.u32("rope.dimension_count", rotated);
  }

  void add(RandomModel& model, std::uint32_t layer) const {
    const std::uint64_t q = heads * head_size;
    const std::uint64_t kv = key_heads * head_size;
    const std::uint64_t value = value_size == 0 ? head_size : value_size;
    if (norm_before) model.norm(blk(layer, "attn_norm.weight"), RandomModel::kWidth);
    if (joined) {
      projection(model, layer, "attn_qkv", q + kv + key_heads * value, 1.5f);
    } else {
      projection(model, layer, "attn_q", gated ? 2 * q : q, 1.5f);
      projection(model, layer, "attn_k", kv, 1.5f);
      projection(model, layer, "attn_v", key_heads * value, 1);
    }
    model.matrix(blk(layer, "attn_output.weight"), {heads * value, RandomModel::kWidth});
    if (!norms && !joint_norms) return;
    model.norm(blk(layer, "attn_q_norm.weight"), joint_norms ? q : head_size);
    model.norm(blk(layer, "attn_k_norm.weight"), joint_norms ? kv : head_size);
  }

 private:
  void projection(RandomModel& model, std::uint32_t layer, const std::string& name,
                  std::uint64_t rows, float gain) const {
    model.matrix(blk(layer, name + ".weight"), {RandomModel::kWidth, rows}, gain);
    if (biases) model.bias(blk(layer, name + ".bias"), {rows});
  }
};

/// Gate, up and down matrix, under names that end in `ending`; with `experts`, so many of each.
inline void add_feed_forward(RandomModel& model, std::uint32_t layer, std::uint64_t size,
                             const std::string& ending = "", std::uint64_t experts = 0,
                             bool gate_up = false) {
  const auto add = [&](const std::string& name, std::uint64_t columns, std::uint64_t rows) {
    std::vector<std::uint64_t> shape = {columns, rows};
    if (experts != 0) shape.push_back(experts);
    model.matrix(blk(layer, name + ending + ".weight"), shape, 1.5f);
  };
  if (gate_up) {
    add("ffn_gate_up", RandomModel::kWidth, 2 * size);
  } else {
    add("ffn_gate", RandomModel::kWidth, size);
    add("ffn_up", RandomModel::kWidth, size);
  }
  add("ffn_down", size, RandomModel::kWidth);
}

/// \param gate_up  gate and up are one tensor
inline void add_experts(RandomModel& model, std::uint32_t layer, std::uint64_t size,
                        std::uint64_t experts, bool gate_up = false) {
  model.matrix(blk(layer, "ffn_gate_inp.weight"), {RandomModel::kWidth, experts}, 1.5f);
  add_feed_forward(model, layer, size, "_exps", experts, gate_up);
}

}  // namespace sluice::testing_support
