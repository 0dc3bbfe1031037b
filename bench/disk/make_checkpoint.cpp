// Makes a published checkpoint to be measured with, of about a given size, and an importance matrix
// for it.
//
//   bench_checkpoint KIND BYTES FOLDER IMATRIX.gguf
//
//   bf16      LLaMA in BF16
//   fp8       the same in FP8 with a factor for each 128 x 128 weights; the factors, being wider
//             numbers, lie before all weights
//   experts   Llama 4 in BF16, whose experts lie transposed

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "model_parts.h"
#include "sluice/inspect.h"

namespace {

using namespace sluice;
using nlohmann::json;

constexpr std::uint64_t kWidth = 2048;
constexpr std::uint64_t kFeedForward = 5632;
constexpr std::uint64_t kKeys = 256;
constexpr std::uint64_t kExperts = 16;
constexpr std::uint64_t kExpertWidth = 2048;
constexpr std::uint64_t kVocabulary = 32000;
constexpr std::uint64_t kPartBytes = std::uint64_t{500} << 20;

struct Tensor {
  std::string name;
  std::string dtype;
  std::vector<std::uint64_t> shape;

  std::uint64_t elements() const {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) count *= extent;
    return count;
  }
  std::uint64_t width() const { return dtype == "F32" ? 4 : dtype == "BF16" ? 2 : 1; }
  std::uint64_t bytes() const { return elements() * width(); }
};

class Checkpoint {
 public:
  Checkpoint(const std::string& kind, std::uint64_t bytes) : kind_(kind) {
    plain("model.embed_tokens.weight", {kVocabulary, kWidth});
    plain("lm_head.weight", {kVocabulary, kWidth});
    plain("model.norm.weight", {kWidth});
    while (size() < bytes) add_layer();
  }

  void write(const std::string& folder) const {
    std::filesystem::create_directories(folder);
    write_text(folder + "/config.json", config().dump());
    write_text(folder + "/tokenizer.json", tokenizer().dump());
    write_text(folder + "/tokenizer_config.json", "{}");
    std::vector<std::vector<Tensor>> parts(1);
    std::uint64_t bytes = 0;
    for (const Tensor& tensor : tensors_) {
      if (bytes > kPartBytes && !tensor.name.ends_with("_inv")) {
        parts.emplace_back();
        bytes = 0;
      }
      parts.back().push_back(tensor);
      bytes += tensor.bytes();
    }
    json map;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const std::string file = fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, parts.size());
      for (const Tensor& tensor : parts[i]) map[tensor.name] = file;
      write_part(folder + "/" + file, std::move(parts[i]));
    }
    write_text(folder + "/model.safetensors.index.json", json{{"weight_map", map}}.dump());
  }

 private:
  std::uint64_t size() const {
    std::uint64_t bytes = 0;
    for (const Tensor& tensor : tensors_) bytes += tensor.bytes();
    return bytes;
  }

  void plain(const std::string& name, std::vector<std::uint64_t> shape) {
    tensors_.push_back({name, "BF16", std::move(shape)});
  }

  void matrix(const std::string& name, std::uint64_t rows, std::uint64_t columns) {
    if (kind_ != "fp8") return plain(name, {rows, columns});
    tensors_.push_back({name, "F8_E4M3", {rows, columns}});
    tensors_.push_back({name + "_scale_inv", "F32", {(rows + 127) / 128, (columns + 127) / 128}});
  }

  void mlp(const std::string& prefix, std::uint64_t width) {
    matrix(prefix + "gate_proj.weight", width, kWidth);
    matrix(prefix + "up_proj.weight", width, kWidth);
    matrix(prefix + "down_proj.weight", kWidth, width);
  }

  void add_layer() {
    const std::string layer = fmt::format("model.layers.{}.", layers_++);
    plain(layer + "input_layernorm.weight", {kWidth});
    plain(layer + "post_attention_layernorm.weight", {kWidth});
    matrix(layer + "self_attn.q_proj.weight", kWidth, kWidth);
    matrix(layer + "self_attn.k_proj.weight", kKeys, kWidth);
    matrix(layer + "self_attn.v_proj.weight", kKeys, kWidth);
    matrix(layer + "self_attn.o_proj.weight", kWidth, kWidth);
    if (kind_ != "experts") return mlp(layer + "mlp.", kFeedForward);
    mlp(layer + "feed_forward.shared_expert.", kExpertWidth);
    plain(layer + "feed_forward.router.weight", {kExperts, kWidth});
    plain(layer + "feed_forward.experts.gate_up_proj", {kExperts, kWidth, 2 * kExpertWidth});
    plain(layer + "feed_forward.experts.down_proj", {kExperts, kExpertWidth, kWidth});
  }

  json config() const {
    json out = {{"hidden_size", kWidth},
                {"num_hidden_layers", layers_},
                {"num_attention_heads", 32},
                {"num_key_value_heads", 4},
                {"head_dim", kWidth / 32},
                {"vocab_size", kVocabulary},
                {"max_position_embeddings", 2048},
                {"rms_norm_eps", 1e-5},
                {"rope_theta", 10000.0},
                {"intermediate_size", kind_ == "experts" ? kExpertWidth : kFeedForward}};
    out["architectures"] = {kind_ == "experts" ? "Llama4ForCausalLM" : "LlamaForCausalLM"};
    if (kind_ == "experts") {
      out.update({{"model_type", "llama4_text"},
                  {"intermediate_size_mlp", kFeedForward},
                  {"num_local_experts", kExperts},
                  {"num_experts_per_tok", 1},
                  {"interleave_moe_layer_step", 1}});
    }
    if (kind_ == "fp8") {
      out["quantization_config"] = {{"quant_method", "fp8"}, {"weight_block_size", {128, 128}}};
    }
    return out;
  }

  static json tokenizer() {
    json words = {{"t", 0}, {"0", 1}};
    for (std::uint64_t i = 2; i < kVocabulary; ++i) words[fmt::format("t{}", i - 2)] = i;
    return {{"added_tokens", json::array()},
            {"pre_tokenizer", {{"type", "ByteLevel"}, {"use_regex", true}}},
            {"model", {{"type", "BPE"}, {"vocab", words}, {"merges", {"t 0"}}}}};
  }

  static void write_text(const std::string& path, const std::string& text) {
    if (!(std::ofstream(path) << text).flush()) throw std::runtime_error("cannot write " + path);
  }

  /// Wider numbers first, then by name, as published files have them.
  static void write_part(const std::string& path, std::vector<Tensor> tensors) {
    std::ranges::sort(tensors, [](const Tensor& a, const Tensor& b) {
      return a.width() != b.width() ? a.width() > b.width() : a.name < b.name;
    });
    json header;
    std::uint64_t end = 0;
    for (const Tensor& tensor : tensors) {
      header[tensor.name] = {{"dtype", tensor.dtype},
                             {"shape", tensor.shape},
                             {"data_offsets", {end, end + tensor.bytes()}}};
      end += tensor.bytes();
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::ofstream file(path, std::ios::binary);
    bench::put<std::uint64_t>(file, std::span(&length, 1));
    file << text;
    for (const Tensor& tensor : tensors) write_data(file, tensor);
    if (!file.flush()) throw std::runtime_error("cannot write " + path);
  }

  static void write_data(std::ostream& file, const Tensor& tensor) {
    static bench::RandomWeights weights;
    static std::mt19937 random(4);
    if (tensor.dtype == "F32") {
      return bench::put<float>(file, std::vector<float>(tensor.elements(), 0x1p-12F));
    }
    for (std::uint64_t left = tensor.elements(); left > 0; left -= tensor.shape.back()) {
      if (tensor.dtype == "BF16") {
        bench::put<std::uint16_t>(file, weights.row(tensor.shape.back()));
        continue;
      }
      // Codes of numbers of one size or the next ones below: sign, then 5 to 6 of the exponent.
      std::vector<std::uint8_t> codes(tensor.shape.back());
      for (std::uint8_t& code : codes) code = 0x20 | (random() & 0x9f);
      bench::put<std::uint8_t>(file, codes);
    }
  }

  const std::string kind_;
  std::vector<Tensor> tensors_;
  int layers_ = 0;
};

std::vector<gguf::Tensor> made_tensors(const std::string& folder) {
  std::vector<gguf::Tensor> tensors;
  for (const InspectedTensor& tensor : inspect(folder).tensors) {
    tensors.push_back({.name = tensor.name, .shape = tensor.shape, .type = tensor.type});
  }
  return tensors;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 5 ? argv[1] : "";
  if (kind != "bf16" && kind != "fp8" && kind != "experts") {
    std::fprintf(stderr, "usage: %s bf16|fp8|experts BYTES FOLDER IMATRIX.gguf\n", argv[0]);
    return 2;
  }
  try {
    Checkpoint(kind, static_cast<std::uint64_t>(std::atof(argv[2]))).write(argv[3]);
    bench::write_imatrix(argv[4], made_tensors(argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
