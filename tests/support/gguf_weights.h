#pragma once

// A GGUF file in memory as the weights of a model that is run.

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "model/network.h"
#include "sluice/codec.h"
#include "sluice/gguf.h"

namespace sluice::testing_support {

class GgufWeights : public model::WeightStore {
 public:
  explicit GgufWeights(std::vector<std::byte> file) : file_(std::move(file)) {
    header_ = gguf::parse_header(file_, file_.size(), "model").value();
    for (const gguf::Tensor& tensor : header_.tensors) tensors_.emplace(tensor.name, &tensor);
  }
  GgufWeights(const GgufWeights&) = delete;
  GgufWeights& operator=(const GgufWeights&) = delete;

  const gguf::Header& header() const { return header_; }

  std::shared_ptr<const linear::Rows> matrix(std::string_view name, std::uint64_t number) override {
    const gguf::Tensor& tensor = find(name);
    const std::uint64_t rows = tensor.shape.size() < 2 ? 1 : tensor.shape[1];
    const std::uint64_t matrices = tensor.elements() / (tensor.row_elements() * rows);
    if (number >= matrices) throw std::out_of_range("no such matrix: " + tensor.name);
    return std::make_shared<StoredRows>(data(tensor) + number * (tensor.size / matrices), tensor,
                                        rows);
  }

  std::vector<float> numbers(std::string_view name) override {
    const gguf::Tensor& tensor = find(name);
    std::vector<float> values(tensor.elements());
    find_codec(tensor.type)->decode(data(tensor), values.data(), values.size());
    return values;
  }

  bool has(std::string_view name) const override { return tensors_.contains(name); }

 private:
  class StoredRows : public linear::Rows {
   public:
    StoredRows(const std::byte* data, const gguf::Tensor& tensor, std::uint64_t rows)
        : data_(data), tensor_(tensor), rows_(rows) {}
    std::size_t rows() const override { return rows_; }
    std::size_t columns() const override { return tensor_.row_elements(); }
    void decode(std::size_t first, std::size_t count, float* out) const override {
      const std::uint64_t row = tensor_.size / (tensor_.elements() / columns());
      find_codec(tensor_.type)->decode(data_ + first * row, out, count * columns());
    }

   private:
    const std::byte* data_;
    const gguf::Tensor& tensor_;
    std::uint64_t rows_;
  };

  const gguf::Tensor& find(std::string_view name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) throw std::out_of_range("no tensor " + std::string(name));
    return *found->second;
  }
  const std::byte* data(const gguf::Tensor& tensor) const {
    return file_.data() + header_.data_offset + tensor.offset;
  }

  std::vector<std::byte> file_;
  gguf::Header header_;
  std::map<std::string, const gguf::Tensor*, std::less<>> tensors_;
};

}  // namespace sluice::testing_support
