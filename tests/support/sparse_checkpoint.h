#pragma once

// Published checkpoints as large as real ones that take no disk: small files and headers as such
// models have them, and holes for the data.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

namespace sluice::testing_support {

struct SparseTensor {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;

  std::uint64_t dtype_bytes() const { return dtype == "F32" ? 4 : dtype == "BF16" ? 2 : 1; }
  std::uint64_t bytes() const {
    std::uint64_t bytes = dtype_bytes();
    for (const std::uint64_t extent : shape) bytes *= extent;
    return bytes;
  }
};

/// A checkpoint of which all but the data is known.
struct SparseCheckpoint {
  nlohmann::json config;
  nlohmann::json tokenizer;
  nlohmann::json tokenizer_config;
  std::vector<SparseTensor> tensors;  ///< in the order in which they are dealt to the parts
  std::uint64_t part_bytes = 0;       ///< of data, about as many in each

  /// Begins with a tiny checkpoint of the family.
  explicit SparseCheckpoint(const std::string& tiny) {
    const auto read = [&](const std::string& file) {
      return nlohmann::json::parse(
          std::ifstream(std::string(SLUICE_TEST_DATA) + "/checkpoints/" + tiny + "/" + file));
    };
    config = read("config.json");
    tokenizer = read("tokenizer.json");
    tokenizer_config = read("tokenizer_config.json");
  }

  void add(const std::string& name, const std::string& dtype, std::vector<std::uint64_t> shape) {
    tensors.push_back({name, dtype, std::move(shape)});
  }

  /// Fills the vocabulary up with words of letters, each joined from a shorter one and a letter.
  void grow_vocabulary(std::size_t tokens) {
    nlohmann::json& vocab = tokenizer["model"]["vocab"];
    nlohmann::json& merges = tokenizer["model"]["merges"];
    const bool pairs = merges.front().is_array();
    std::size_t id = vocab.size() + tokenizer["added_tokens"].size();
    std::vector<std::string> words;
    for (char c = 'A'; c <= 'Z'; ++c) words.emplace_back(1, c);
    for (std::size_t next = 0; id < tokens; ++next) {
      for (char c = 'A'; c <= 'Z' && id < tokens; ++c) {
        const std::string begin = words[next];
        const std::string end(1, c);
        words.push_back(begin + end);
        vocab[words.back()] = id++;
        merges.push_back(pairs ? nlohmann::json{begin, end} : nlohmann::json(begin + " " + end));
      }
    }
  }

  /// \returns the bytes of all parts
  std::uint64_t write(const std::string& folder) const {
    std::filesystem::create_directories(folder);
    const auto text = [&](const std::string& file, const nlohmann::json& json) {
      std::ofstream(folder + "/" + file) << json.dump(2);
    };
    text("config.json", config);
    text("tokenizer.json", tokenizer);
    text("tokenizer_config.json", tokenizer_config);
    std::vector<std::vector<SparseTensor>> parts(1);
    std::uint64_t filled = 0;
    for (const SparseTensor& tensor : tensors) {
      if (filled != 0 && filled + tensor.bytes() > part_bytes) {
        parts.emplace_back();
        filled = 0;
      }
      filled += tensor.bytes();
      parts.back().push_back(tensor);
    }
    std::uint64_t all = 0;
    nlohmann::json map = nlohmann::json::object();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string name =
          "model-" + five(i + 1) + "-of-" + five(parts.size()) + ".safetensors";
      all += write_part(folder + "/" + name, parts[i]);
      for (const SparseTensor& tensor : parts[i]) map[tensor.name] = name;
    }
    text("model.safetensors.index.json",
         {{"metadata", {{"total_size", all}}}, {"weight_map", map}});
    return all;
  }

 private:
  static std::string five(std::size_t number) {
    const std::string digits = std::to_string(number);
    return std::string(5 - digits.size(), '0') + digits;
  }

  /// The order of the data is that of writers: widest elements first, then by name.
  static std::uint64_t write_part(const std::string& path, std::vector<SparseTensor> tensors) {
    std::ranges::sort(tensors, [](const SparseTensor& a, const SparseTensor& b) {
      return std::tuple(b.dtype_bytes(), a.name) < std::tuple(a.dtype_bytes(), b.name);
    });
    nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
    std::uint64_t end = 0;
    for (const SparseTensor& tensor : tensors) {
      const std::uint64_t begin = end;
      end += tensor.bytes();
      header[tensor.name] = {
          {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    }
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t length = text.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), sizeof length);
    file << text;
    file.close();
    std::filesystem::resize_file(path, sizeof length + length + end);
    return sizeof length + length + end;
  }
};

/// DeepSeek-V3 as it was published: 688 GB in some 160 parts, 91,991 stored tensors, FP8 with a
/// factor for each block of 128 x 128.
inline SparseCheckpoint sparse_deepseek_v3() {
  SparseCheckpoint checkpoint("deepseek_v3_fp8");
  checkpoint.config.update({{"hidden_size", 7168},
                            {"intermediate_size", 18432},
                            {"num_hidden_layers", 61},
                            {"num_attention_heads", 128},
                            {"num_key_value_heads", 128},
                            {"vocab_size", 129280},
                            {"q_lora_rank", 1536},
                            {"kv_lora_rank", 512},
                            {"qk_nope_head_dim", 128},
                            {"qk_rope_head_dim", 64},
                            {"v_head_dim", 128},
                            {"n_routed_experts", 256},
                            {"num_experts_per_tok", 8},
                            {"moe_intermediate_size", 2048},
                            {"first_k_dense_replace", 3},
                            {"n_group", 8},
                            {"topk_group", 4}});
  checkpoint.part_bytes = 4'300'000'000;
  checkpoint.grow_vocabulary(128815);
  const auto fp8 = [&](const std::string& name, std::uint64_t rows, std::uint64_t columns) {
    checkpoint.add(name + ".weight", "F8_E4M3", {rows, columns});
    checkpoint.add(name + ".weight_scale_inv", "F32", {(rows + 127) / 128, (columns + 127) / 128});
  };
  const auto mlp = [&](const std::string& name, std::uint64_t width) {
    fp8(name + ".gate_proj", width, 7168);
    fp8(name + ".up_proj", width, 7168);
    fp8(name + ".down_proj", 7168, width);
  };
  checkpoint.add("model.embed_tokens.weight", "BF16", {129280, 7168});
  for (int i = 0; i <= 61; ++i) {
    const std::string layer = "model.layers." + std::to_string(i);
    const std::string attention = layer + ".self_attn";
    fp8(attention + ".q_a_proj", 1536, 7168);
    checkpoint.add(attention + ".q_a_layernorm.weight", "BF16", {1536});
    fp8(attention + ".q_b_proj", 128 * 192, 1536);
    fp8(attention + ".kv_a_proj_with_mqa", 576, 7168);
    checkpoint.add(attention + ".kv_a_layernorm.weight", "BF16", {512});
    fp8(attention + ".kv_b_proj", 128 * 256, 512);
    fp8(attention + ".o_proj", 7168, 128 * 128);
    if (i < 3) {
      mlp(layer + ".mlp", 18432);
    } else {
      checkpoint.add(layer + ".mlp.gate.weight", "BF16", {256, 7168});
      checkpoint.add(layer + ".mlp.gate.e_score_correction_bias", "F32", {256});
      mlp(layer + ".mlp.shared_experts", 2048);
      for (int e = 0; e < 256; ++e) mlp(layer + ".mlp.experts." + std::to_string(e), 2048);
    }
    checkpoint.add(layer + ".input_layernorm.weight", "BF16", {7168});
    checkpoint.add(layer + ".post_attention_layernorm.weight", "BF16", {7168});
    if (i < 61) continue;  // the last one guesses more tokens
    for (const std::string norm : {".enorm", ".hnorm", ".shared_head.norm"}) {
      checkpoint.add(layer + norm + ".weight", "BF16", {7168});
    }
    checkpoint.add(layer + ".eh_proj.weight", "BF16", {7168, 2 * 7168});
    checkpoint.add(layer + ".embed_tokens.weight", "BF16", {129280, 7168});
    checkpoint.add(layer + ".shared_head.head.weight", "BF16", {129280, 7168});
  }
  checkpoint.add("model.norm.weight", "BF16", {7168});
  checkpoint.add("lm_head.weight", "BF16", {129280, 7168});
  return checkpoint;
}

/// Llama-4-Maverick as it was published: 800 GB in BF16, experts stacked and transposed.
inline SparseCheckpoint sparse_llama4_maverick() {
  SparseCheckpoint checkpoint("llama4_scout");
  nlohmann::json& config = checkpoint.config["text_config"];
  config.update({{"hidden_size", 5120},
                 {"intermediate_size", 8192},
                 {"intermediate_size_mlp", 16384},
                 {"num_hidden_layers", 48},
                 {"num_attention_heads", 40},
                 {"num_key_value_heads", 8},
                 {"head_dim", 128},
                 {"vocab_size", 202048},
                 {"num_local_experts", 128},
                 {"interleave_moe_layer_step", 2}});
  config["rope_scaling"] = nullptr;
  config["no_rope_layers"] = nullptr;
  checkpoint.part_bytes = 30'000'000'000;
  checkpoint.grow_vocabulary(201135);
  const auto bf16 = [&](const std::string& name, std::vector<std::uint64_t> shape) {
    checkpoint.add(name, "BF16", std::move(shape));
  };
  const auto mlp = [&](const std::string& name, std::uint64_t width) {
    bf16(name + ".gate_proj.weight", {width, 5120});
    bf16(name + ".up_proj.weight", {width, 5120});
    bf16(name + ".down_proj.weight", {5120, width});
  };
  bf16("language_model.model.embed_tokens.weight", {202048, 5120});
  for (int i = 0; i < 48; ++i) {
    const std::string layer = "language_model.model.layers." + std::to_string(i);
    for (const std::string name : {".q_proj", ".o_proj"}) {
      bf16(layer + ".self_attn" + name + ".weight", {5120, 5120});
    }
    for (const std::string name : {".k_proj", ".v_proj"}) {
      bf16(layer + ".self_attn" + name + ".weight", {1024, 5120});
    }
    bf16(layer + ".input_layernorm.weight", {5120});
    bf16(layer + ".post_attention_layernorm.weight", {5120});
    if (i % 2 == 0) {
      mlp(layer + ".feed_forward", 16384);
      continue;
    }
    bf16(layer + ".feed_forward.router.weight", {128, 5120});
    mlp(layer + ".feed_forward.shared_expert", 8192);
    bf16(layer + ".feed_forward.experts.gate_up_proj", {128, 5120, 16384});
    bf16(layer + ".feed_forward.experts.down_proj", {128, 8192, 5120});
  }
  bf16("language_model.model.norm.weight", {5120});
  bf16("language_model.lm_head.weight", {202048, 5120});
  bf16("multi_modal_projector.linear_1.weight", {5120, 4096});
  return checkpoint;
}

}  // namespace sluice::testing_support
