#pragma once

// A small model with every shape of tensor, its importance matrix, and what a run must make of them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <regex>

#include "api/observers.h"
#include "base/float16.h"
#include "imatrix/importance_matrix.h"
#include "sluice/codec.h"
#include "sluice/error.h"
#include "sluice/quantize.h"
#include "sluice/version.h"
#include "support/gguf_builder.h"
#include "support/temp_folder.h"

namespace sluice {

namespace fs = std::filesystem;
using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::put;
using testing_support::put_bytes;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

struct TestTensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  TensorType type;
  Bytes data;

  std::uint64_t elements() const {
    std::uint64_t n = 1;
    for (const std::uint64_t extent : shape) n *= extent;
    return n;
  }
};

// Nearly normal: sums of the four 16-bit numbers in each of mt19937_64's, since each test makes
// millions, with sanitizers too.
inline std::vector<float> random_values(std::uint64_t count, std::uint64_t seed) {
  constexpr float kMean = 2 * 65535.0f;
  constexpr float kDeviation = 65536.0f / 1.7320508f;
  std::mt19937_64 random(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    const std::uint64_t bits = random();
    const std::uint64_t sum =
        (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    value = 0.02f * (static_cast<float>(sum) - kMean) / kDeviation;
  }
  return values;
}

template <typename T>
Bytes converted(const std::vector<float>& values, T (*convert)(float)) {
  std::vector<T> numbers(values.size());
  std::transform(values.begin(), values.end(), numbers.begin(), convert);
  return testing_support::bytes_of(numbers);
}

inline Bytes stored(const std::vector<float>& values, TensorType type) {
  if (type == TensorType::f16) return converted(values, f32_to_f16);
  if (type == TensorType::bf16) return converted(values, f32_to_bf16);
  return testing_support::bytes_of(values);
}

inline TestTensor make_tensor(std::string name, std::vector<std::uint64_t> shape, TensorType type) {
  TestTensor tensor{std::move(name), std::move(shape), type, {}};
  tensor.data =
      stored(random_values(tensor.elements(), std::hash<std::string>()(tensor.name)), type);
  return tensor;
}

// A mixture-of-experts model with every kind of source, rows that fit no super-block, and a tensor
// larger than the largest chunk.
inline std::vector<TestTensor> test_tensors() {
  return {
      make_tensor("token_embd.weight", {512, 100}, TensorType::f32),
      make_tensor("blk.0.attn_norm.weight", {512}, TensorType::f32),
      make_tensor("blk.0.attn_q.weight", {512, 6000}, TensorType::bf16),
      make_tensor("blk.0.attn_k.weight", {512, 64}, TensorType::f16),
      make_tensor("blk.0.attn_v.weight", {512, 64}, TensorType::f16),
      make_tensor("blk.0.attn_output.weight", {512, 512}, TensorType::f16),
      make_tensor("blk.0.ffn_gate_inp.weight", {512, 3}, TensorType::f32),
      make_tensor("blk.0.ffn_up_exps.weight", {512, 96, 3}, TensorType::bf16),
      make_tensor("blk.0.ffn_gate_exps.weight", {512, 96, 3}, TensorType::bf16),
      make_tensor("blk.0.ffn_down_exps.weight", {96, 512, 3}, TensorType::bf16),
      make_tensor("output_norm.weight", {512}, TensorType::f32),
      make_tensor("output.weight", {512, 100}, TensorType::f16),
  };
}

inline GgufBuilder with_metadata() {
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .u32("llama.block_count", 1)
      .u32("llama.attention.head_count", 8)
      .u32("llama.attention.head_count_kv", 1)
      .u32("llama.expert_count", 3)
      .strings("tokenizer.ggml.tokens", {"a", "b"});
  return builder;
}

inline void write_model(const std::string& path, const std::vector<TestTensor>& tensors,
                        GgufBuilder builder = with_metadata()) {
  for (const TestTensor& tensor : tensors) {
    builder.tensor(tensor.name, tensor.shape, static_cast<std::uint32_t>(tensor.type), tensor.data);
  }
  write_file(path, builder.build());
}

inline std::vector<float> importance_of(const TestTensor& tensor, std::uint64_t expert) {
  std::vector<float> values =
      random_values(tensor.shape[0], std::hash<std::string>()(tensor.name) + 77 * expert);
  for (float& value : values) value = value * value + 1e-6f;
  return values;
}

// A legacy importance matrix with a row for every matrix, expert 1 without data.
inline void write_imatrix(const std::string& path, const std::vector<TestTensor>& tensors) {
  Bytes body;
  std::int32_t entries = 0;
  for (const TestTensor& tensor : tensors) {
    if (tensor.shape.size() < 2) continue;
    const std::uint64_t experts = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
    put(body, static_cast<std::int32_t>(tensor.name.size()));
    put_bytes(body, tensor.name.data(), tensor.name.size());
    put(body, std::int32_t{4});
    put(body, static_cast<std::int32_t>(tensor.shape[0] * experts));
    for (std::uint64_t expert = 0; expert < experts; ++expert) {
      for (const float value : importance_of(tensor, expert)) {
        put(body, expert == 1 ? 0.0f : 4 * value);
      }
    }
    ++entries;
  }
  Bytes file;
  put(file, entries);
  put_bytes(file, body.data(), body.size());
  put(file, std::int32_t{17});
  put(file, std::int32_t{4});
  put_bytes(file, "text", 4);
  write_file(path, file);
}

// The data of an output file, by tensor name, and checks of its layout that need no reader of ours
// beyond the header's.
inline std::map<std::string, Bytes> tensor_data(const std::string& path, gguf::Header* header_out) {
  const Bytes file = read_file(path);
  const gguf::Header header = *gguf::parse_header(file, file.size(), path);
  std::map<std::string, Bytes> data;
  std::uint64_t expected_offset = 0;
  for (const gguf::Tensor& tensor : header.tensors) {
    EXPECT_EQ(tensor.offset, expected_offset) << "tensors must follow one another";
    const std::uint64_t start = header.data_offset + tensor.offset;
    data[tensor.name] = Bytes(file.begin() + start, file.begin() + start + tensor.size);
    const std::uint64_t padded =
        (tensor.size + header.alignment - 1) / header.alignment * header.alignment;
    for (std::uint64_t i = tensor.size; i < padded; ++i) {
      EXPECT_EQ(file[start + i], std::byte{0}) << "padding";
    }
    expected_offset += padded;
  }
  EXPECT_EQ(file.size(), header.data_offset + expected_offset);
  if (header_out != nullptr) *header_out = header;
  return data;
}

// The model has one layer, which is the last.
inline float correction_of(const std::string& name) {
  if (name == "token_embd.weight") return 1;
  const bool of_values = name == "blk.0.attn_v.weight" || name == "blk.0.attn_output.weight";
  return of_values ? 0.5f : 0.75f;
}

// What a tensor must become: all its rows encoded in one call per expert.
inline Bytes expected_data(const TestTensor& tensor, TensorType type, bool with_imatrix) {
  if (type == tensor.type) return tensor.data;
  const std::uint64_t experts = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
  const std::uint64_t elements = tensor.elements() / experts;
  std::vector<float> values(tensor.elements());
  decode_rows(*find_codec(tensor.type), tensor.data.data(), values.size(), tensor.shape[0],
              values.data());
  Bytes out(byte_size(type, tensor.elements(), tensor.shape[0]));
  for (std::uint64_t expert = 0; expert < experts; ++expert) {
    std::vector<float> importance = importance_of(tensor, expert);
    if (expert == 1) std::fill(importance.begin(), importance.end(), 1.0f);
    find_codec(type)->encode({.values = values.data() + expert * elements,
                              .rows = elements / tensor.shape[0],
                              .row_elements = tensor.shape[0],
                              .importance = with_imatrix ? importance.data() : nullptr,
                              .bias_correction = correction_of(tensor.name)},
                             out.data() + byte_size(type, expert * elements, tensor.shape[0]));
  }
  return out;
}

inline QuantizeOptions options_for(const std::string& input, const std::string& output,
                                   std::string_view type, bool pure) {
  QuantizeOptions options;
  options.input = input;
  options.output = output;
  options.file_type = find_file_type(type);
  options.pure = pure;
  options.threads = 2;
  return options;
}

// The least budget, from the error that a budget of nothing gives.
inline std::uint64_t least_memory(QuantizeOptions options) {
  options.memory = 1;
  try {
    quantize(options, silent());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
    std::smatch match;
    const std::string message = error.what();
    if (std::regex_search(message, match, std::regex(R"(the least is (\d+)M)"))) {
      return std::stoull(match[1]) << 20;
    }
  }
  ADD_FAILURE() << "no least budget";
  return 0;
}

class QuantizeTest : public testing::Test {
 protected:
  QuantizeTest() {
    write_model(model_, tensors_);
    write_imatrix(imatrix_, tensors_);
  }

  void expect_right(const std::string& output, bool with_imatrix) {
    gguf::Header header;
    const std::map<std::string, Bytes> data = tensor_data(output, &header);
    ASSERT_EQ(header.tensors.size(), tensors_.size());
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
      EXPECT_EQ(header.tensors[i].name, tensors_[i].name);
      EXPECT_EQ(header.tensors[i].shape, tensors_[i].shape);
      EXPECT_TRUE(data.at(tensors_[i].name) ==
                  expected_data(tensors_[i], header.tensors[i].type, with_imatrix))
          << tensors_[i].name;
    }
  }

  TempFolder folder_;
  std::string model_ = folder_ / "model.gguf";
  std::string imatrix_ = folder_ / "model.imatrix";
  std::string output_ = folder_ / "out.gguf";
  std::vector<TestTensor> tensors_ = test_tensors();
};

}  // namespace sluice
