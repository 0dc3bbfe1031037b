// Makes a model to be measured with, of about a given size: a LLaMA in BF16 and an importance
// matrix for it. At 1.1e9 weights it has TinyLlama's shape. Its numbers are those of the codecs'
// benchmark (rows.h): like a model's, but without meaning.
//
//   bench_model WEIGHTS MODEL.gguf IMATRIX.gguf

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model_parts.h"
#include "sluice/gguf.h"

namespace {

using namespace sluice;
using namespace std::string_view_literals;
using gguf::Header;
using gguf::Tensor;
using gguf::Value;

struct Shape {
  std::uint32_t width;
  std::uint32_t feed_forward;
  std::uint32_t kv_width;
  std::uint32_t heads;
  std::uint32_t kv_heads;
  std::uint32_t vocabulary;
  std::uint32_t layers;
};

// The widest model that still has enough layers to be one.
Shape shape_for(double weights) {
  Shape shape{};
  for (const std::uint32_t width : {256u, 512u, 1024u, 2048u, 4096u, 8192u}) {
    const std::uint32_t kv_heads = std::max(1u, width / 512);
    Shape next{.width = width,
               .feed_forward = width * 11 / 4,
               .kv_width = width / 8,
               .heads = kv_heads * 8,
               .kv_heads = kv_heads,
               .vocabulary = std::min(32000u, width * 16),
               .layers = 0};
    const double layer = width * (2.0 * width + 2.0 * next.kv_width + 3.0 * next.feed_forward);
    const double layers = (weights - 2.0 * width * next.vocabulary) / layer;
    constexpr double kEnough = 12;
    if (shape.width != 0 && layers < kEnough) break;
    next.layers = static_cast<std::uint32_t>(std::max(1.0, layers + 0.5));
    shape = next;
  }
  return shape;
}

std::vector<Tensor> tensors_of(const Shape& shape) {
  std::vector<Tensor> tensors;
  const auto matrix = [&](std::string name, std::uint64_t inputs, std::uint64_t outputs) {
    tensors.push_back(
        {.name = std::move(name), .shape = {inputs, outputs}, .type = TensorType::bf16});
  };
  const auto norm = [&](std::string name) {
    tensors.push_back({.name = std::move(name), .shape = {shape.width}, .type = TensorType::f32});
  };
  matrix("token_embd.weight", shape.width, shape.vocabulary);
  for (std::uint32_t layer = 0; layer < shape.layers; ++layer) {
    const std::string block = fmt::format("blk.{}.", layer);
    norm(block + "attn_norm.weight");
    matrix(block + "attn_q.weight", shape.width, shape.width);
    matrix(block + "attn_k.weight", shape.width, shape.kv_width);
    matrix(block + "attn_v.weight", shape.width, shape.kv_width);
    matrix(block + "attn_output.weight", shape.width, shape.width);
    norm(block + "ffn_norm.weight");
    matrix(block + "ffn_gate.weight", shape.width, shape.feed_forward);
    matrix(block + "ffn_up.weight", shape.width, shape.feed_forward);
    matrix(block + "ffn_down.weight", shape.feed_forward, shape.width);
  }
  norm("output_norm.weight");
  matrix("output.weight", shape.width, shape.vocabulary);
  return tensors;
}

Header model_header(const Shape& shape) {
  std::vector<std::string> tokens;
  for (std::uint32_t i = 0; i < shape.vocabulary; ++i) tokens.push_back(fmt::format("t{}", i));
  Header header;
  header.metadata = {
      {"general.architecture", Value::of("llama"sv)},
      {"general.name", Value::of("bench"sv)},
      {"general.file_type", Value::of(std::uint32_t{32})},
      {"llama.vocab_size", Value::of(shape.vocabulary)},
      {"llama.context_length", Value::of(std::uint32_t{2048})},
      {"llama.embedding_length", Value::of(shape.width)},
      {"llama.block_count", Value::of(shape.layers)},
      {"llama.feed_forward_length", Value::of(shape.feed_forward)},
      {"llama.rope.dimension_count", Value::of(shape.width / shape.heads)},
      {"llama.attention.head_count", Value::of(shape.heads)},
      {"llama.attention.head_count_kv", Value::of(shape.kv_heads)},
      {"llama.attention.layer_norm_rms_epsilon", Value::of(1e-5F)},
      {"tokenizer.ggml.model", Value::of("llama"sv)},
      {"tokenizer.ggml.tokens", Value::of_strings(tokens)},
      {"tokenizer.ggml.scores", Value::of_floats(std::vector<float>(tokens.size()))},
      {"tokenizer.ggml.token_type", Value::of_ints(std::vector<std::int32_t>(tokens.size(), 1))},
  };
  header.tensors = tensors_of(shape);
  return header;
}

void write_model(const std::string& path, const Header& header) {
  bench::RandomWeights weights;
  bench::write_gguf(path, header, [&](const Tensor& tensor, std::ostream& file) {
    if (tensor.type == TensorType::f32) {
      bench::put<float>(file, std::vector<float>(tensor.elements(), 1.0F));
      return;
    }
    for (std::uint64_t left = tensor.elements(); left > 0; left -= tensor.row_elements()) {
      bench::put<std::uint16_t>(file, weights.row(tensor.row_elements()));
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const double weights = argc == 4 ? std::atof(argv[1]) : 0;
  if (!(weights >= 1e6 && weights <= 1e12)) {
    std::fprintf(stderr, "usage: %s WEIGHTS MODEL.gguf IMATRIX.gguf (1e6 weights or more)\n",
                 argv[0]);
    return 2;
  }
  try {
    const Header header = model_header(shape_for(weights));
    write_model(argv[2], header);
    bench::write_imatrix(argv[3], header.tensors);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
