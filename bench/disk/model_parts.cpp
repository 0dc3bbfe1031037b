#include "model_parts.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "rows.h"

namespace sluice::bench {

using namespace std::string_view_literals;
using gguf::Header;
using gguf::Tensor;
using gguf::Value;

namespace {

constexpr float kImatrixTokens = 64 * 512;

}  // namespace

RandomWeights::RandomWeights() {
  for (const float value : rows().values) {
    weights_.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
  }
}

std::span<const std::uint16_t> RandomWeights::row(std::uint64_t elements) {
  row_.clear();
  while (row_.size() < elements) {
    const std::size_t start = random_() % weights_.size();
    const std::size_t run = std::min<std::size_t>(elements - row_.size(), weights_.size() - start);
    row_.insert(row_.end(), weights_.begin() + static_cast<std::ptrdiff_t>(start),
                weights_.begin() + static_cast<std::ptrdiff_t>(start + run));
  }
  return row_;
}

void write_gguf(const std::string& path, Header header,
                const std::function<void(const Tensor&, std::ostream&)>& write_data) {
  gguf::lay_out(header.tensors, header.alignment);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  const std::vector<std::byte> bytes = gguf::serialize_header(header);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  for (const Tensor& tensor : header.tensors) {
    file.seekp(static_cast<std::streamoff>(bytes.size() + tensor.offset));
    write_data(tensor, file);
  }
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

void write_imatrix(const std::string& path, std::span<const Tensor> tensors) {
  Header header;
  header.metadata = {
      {"general.type", Value::of("imatrix"sv)},
      {"imatrix.datasets", Value::of_strings(std::vector<std::string>{"bench"})},
      {"imatrix.chunk_count", Value::of(std::uint32_t{64})},
      {"imatrix.chunk_size", Value::of(std::uint32_t{512})},
  };
  for (const Tensor& tensor : tensors) {
    if (tensor.shape.size() < 2 || tensor.name == "token_embd.weight") continue;
    const std::uint64_t experts = tensor.shape.size() > 2 ? tensor.shape[2] : 1;
    header.tensors.push_back({.name = tensor.name + ".in_sum2",
                              .shape = {tensor.row_elements(), experts},
                              .type = TensorType::f32});
    header.tensors.push_back(
        {.name = tensor.name + ".counts", .shape = {1, experts}, .type = TensorType::f32});
  }
  const auto& importance = rows().importance;
  std::mt19937_64 random(3);
  write_gguf(path, header, [&](const Tensor& tensor, std::ostream& file) {
    std::vector<float> values(tensor.elements(), kImatrixTokens);
    if (tensor.name.ends_with(".in_sum2")) {
      for (float& value : values) value *= importance[random() % importance.size()];
    }
    put<float>(file, values);
  });
}

}  // namespace sluice::bench
