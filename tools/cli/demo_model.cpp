#include "demo_model.h"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "sluice/error.h"
#include "sluice/gguf.h"
#include "sluice/tensor_type.h"

namespace sluice {
namespace {

using gguf::Header;
using gguf::Tensor;
using gguf::Value;
using namespace std::string_view_literals;

constexpr std::uint32_t kLayers = 4;
constexpr std::uint32_t kWidth = 256;
constexpr std::uint32_t kFeedForward = 768;
constexpr std::uint32_t kHeads = 8;
constexpr std::uint32_t kKvHeads = 2;
constexpr std::uint32_t kHeadWidth = kWidth / kHeads;
constexpr std::uint32_t kContext = 512;
constexpr float kImatrixChunks = 64;

/// splitmix64 (Steele, Lea and Flood, 2014): one addition and a hash a number, and unlike the
/// standard library's distributions the same numbers everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// From 0 to 1.
  float uniform() { return static_cast<float>(bits() >> 40) * 0x1p-24F; }

  /// Mean 0, variance 1, nearly Gaussian: the sum of four uniform numbers of 16 bits, each of
  /// variance 2^32 / 12.
  float normal() {
    const std::uint64_t b = bits();
    const auto sum = static_cast<std::int32_t>((b & 0xffff) + ((b >> 16) & 0xffff) +
                                               ((b >> 32) & 0xffff) + (b >> 48));
    const float unit = std::sqrt(3.0F) * 0x1p-16F;
    return static_cast<float>(sum - 2 * 0xffff) * unit;
  }

 private:
  std::uint64_t state_;
};

/// The nearest BF16 number, ties to even.
std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/// A file that is written front to back; each failure names it.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& path)
      : path_(path.string()), stream_(path, std::ios::binary | std::ios::trunc) {
    if (!stream_) {
      throw Error(ErrorCode::output_open, "cannot create the file",
                  {path_, {}, {}, "Choose a folder that you may write to."});
    }
  }

  void write(std::span<const std::byte> bytes) {
    stream_.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
    offset_ += bytes.size();
  }

  void pad_to(std::uint64_t offset) {
    const std::vector<std::byte> zeros(offset - offset_);
    write(zeros);
  }

  std::uint64_t offset() const { return offset_; }

  void close() {
    stream_.close();
    if (!stream_) {
      throw Error(ErrorCode::output_write, "cannot write the file",
                  {path_, {}, {}, "See whether the disk is full."});
    }
  }

 private:
  std::string path_;
  std::ofstream stream_;
  std::uint64_t offset_ = 0;
};

template <typename T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

/// Writes a header and, for each of its tensors in turn, the bytes that `data` gives.
void write_gguf(const std::filesystem::path& path, Header header,
                const std::function<std::vector<std::byte>(const Tensor&)>& data) {
  gguf::lay_out(header.tensors, header.alignment);
  OutputFile file(path);
  file.write(gguf::serialize_header(header));
  const std::uint64_t data_offset = file.offset();
  for (const Tensor& t : header.tensors) {
    file.pad_to(data_offset + t.offset);
    file.write(data(t));
  }
  file.close();
}

/// A SentencePiece vocabulary as LLaMA's: three special tokens, the 256 bytes to which anything
/// unknown falls back, then pieces, the likelier the earlier.
struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<float> scores;
  std::vector<std::int32_t> types;

  void add(std::string token, float score, std::int32_t type) {
    tokens.push_back(std::move(token));
    scores.push_back(score);
    types.push_back(type);
  }
};

Vocabulary make_vocabulary() {
  // Token types as GGUF numbers them.
  constexpr std::int32_t kNormal = 1;
  constexpr std::int32_t kUnknown = 2;
  constexpr std::int32_t kControl = 3;
  constexpr std::int32_t kByte = 6;

  Vocabulary v;
  v.add("<unk>", 0, kUnknown);
  v.add("<s>", 0, kControl);
  v.add("</s>", 0, kControl);
  const std::string_view hex = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < 256; ++byte) {
    v.add(std::string("<0x") + hex[byte / 16] + hex[byte % 16] + ">", 0, kByte);
  }

  float rank = 0;
  const auto add_piece = [&](std::string piece) { v.add(std::move(piece), rank--, kNormal); };
  const std::string space = "\u2581";
  const std::string_view letters = "etaoinshrdlucmfwygpbvkxqjz";
  const std::string_view frequent = letters.substr(0, 14);
  for (const char first : frequent) {
    for (const char second : frequent) add_piece({first, second});
  }
  for (const char letter : letters) add_piece(space + letter);
  add_piece(space);
  for (const char letter : letters) add_piece({letter});
  for (const char mark : ".,-'"sv) add_piece({mark});
  return v;
}

Tensor tensor(std::string name, std::vector<std::uint64_t> shape, TensorType type) {
  return {.name = std::move(name), .shape = std::move(shape), .type = type};
}

std::vector<Tensor> model_tensors(std::uint64_t vocabulary) {
  std::vector<Tensor> tensors;
  const auto matrix = [&](std::string name, std::uint64_t inputs, std::uint64_t outputs) {
    tensors.push_back(tensor(std::move(name), {inputs, outputs}, TensorType::bf16));
  };
  const auto norm = [&](std::string name) {
    tensors.push_back(tensor(std::move(name), {kWidth}, TensorType::f32));
  };

  matrix("token_embd.weight", kWidth, vocabulary);
  for (std::uint32_t layer = 0; layer < kLayers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    norm(block + "attn_norm.weight");
    matrix(block + "attn_q.weight", kWidth, kHeads * kHeadWidth);
    matrix(block + "attn_k.weight", kWidth, kKvHeads * kHeadWidth);
    matrix(block + "attn_v.weight", kWidth, kKvHeads * kHeadWidth);
    matrix(block + "attn_output.weight", kHeads * kHeadWidth, kWidth);
    norm(block + "ffn_norm.weight");
    matrix(block + "ffn_gate.weight", kWidth, kFeedForward);
    matrix(block + "ffn_up.weight", kWidth, kFeedForward);
    matrix(block + "ffn_down.weight", kFeedForward, kWidth);
  }
  norm("output_norm.weight");
  matrix("output.weight", kWidth, vocabulary);
  return tensors;
}

Header model_header() {
  const Vocabulary vocabulary = make_vocabulary();
  const auto tokens = static_cast<std::uint32_t>(vocabulary.tokens.size());
  Header header;
  header.metadata = {
      {"general.architecture", Value::of("llama"sv)},
      {"general.type", Value::of("model"sv)},
      {"general.name", Value::of("sluice demo"sv)},
      {"general.file_type", Value::of(std::uint32_t{32})},
      {"llama.vocab_size", Value::of(tokens)},
      {"llama.context_length", Value::of(kContext)},
      {"llama.embedding_length", Value::of(kWidth)},
      {"llama.block_count", Value::of(kLayers)},
      {"llama.feed_forward_length", Value::of(kFeedForward)},
      {"llama.rope.dimension_count", Value::of(kHeadWidth)},
      {"llama.rope.freq_base", Value::of(10000.0F)},
      {"llama.attention.head_count", Value::of(kHeads)},
      {"llama.attention.head_count_kv", Value::of(kKvHeads)},
      {"llama.attention.layer_norm_rms_epsilon", Value::of(1e-5F)},
      {"tokenizer.ggml.model", Value::of("llama"sv)},
      {"tokenizer.ggml.tokens", Value::of_strings(vocabulary.tokens)},
      {"tokenizer.ggml.scores", Value::of_floats(vocabulary.scores)},
      {"tokenizer.ggml.token_type", Value::of_ints(vocabulary.types)},
      {"tokenizer.ggml.unknown_token_id", Value::of(std::uint32_t{0})},
      {"tokenizer.ggml.bos_token_id", Value::of(std::uint32_t{1})},
      {"tokenizer.ggml.eos_token_id", Value::of(std::uint32_t{2})},
      {"tokenizer.ggml.add_bos_token", Value::of(true)},
  };
  header.tensors = model_tensors(tokens);
  return header;
}

void write_model(const std::filesystem::path& path, const Header& header) {
  Random random(1);
  write_gguf(path, header, [&](const Tensor& t) {
    if (t.type == TensorType::f32) return bytes_of(std::vector<float>(t.elements(), 1.0F));
    // Each output is a sum over a row: this deviation keeps activations at their size.
    const float deviation = 1.0F / std::sqrt(static_cast<float>(t.row_elements()));
    std::vector<std::uint16_t> weights(t.elements());
    for (std::uint16_t& weight : weights) weight = to_bf16(deviation * random.normal());
    return bytes_of(weights);
  });
}

/// Real matrices hold, for each tensor, sums of squared inputs and how many there were. Inputs
/// differ by orders of magnitude from column to column; those here range over three.
void write_imatrix(const std::filesystem::path& path, const Header& model) {
  Header header;
  header.metadata = {
      {"general.type", Value::of("imatrix"sv)},
      {"imatrix.datasets", Value::of_strings(std::vector<std::string>{"demo"})},
      {"imatrix.chunk_count", Value::of(static_cast<std::uint32_t>(kImatrixChunks))},
      {"imatrix.chunk_size", Value::of(kContext)},
  };
  for (const Tensor& t : model.tensors) {
    if (t.type == TensorType::f32 || t.name == "token_embd.weight") continue;
    header.tensors.push_back(tensor(t.name + ".in_sum2", {t.row_elements()}, TensorType::f32));
    header.tensors.push_back(tensor(t.name + ".counts", {1}, TensorType::f32));
  }
  Random random(2);
  write_gguf(path, header, [&](const Tensor& t) {
    constexpr float kTokens = kImatrixChunks * kContext;
    if (t.name.ends_with(".counts")) return bytes_of(std::vector<float>{kTokens});
    std::vector<float> sums(t.elements());
    for (float& sum : sums) {
      const float u = random.uniform();
      sum = kTokens * (0.001F + u * u * u * u);
    }
    return bytes_of(sums);
  });
}

}  // namespace

DemoFiles write_demo_model(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCode::output_open, "cannot make the folder: " + error.message(),
                {folder.string(), {}, {}, "Choose another folder."});
  }
  const std::filesystem::path model = folder / "demo-bf16.gguf";
  const std::filesystem::path imatrix = folder / "demo.imatrix.gguf";
  const Header header = model_header();
  write_model(model, header);
  write_imatrix(imatrix, header);
  return {model.string(), imatrix.string()};
}

}  // namespace sluice
