#include "model/metadata.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/text.h"

namespace sluice::model {
namespace {

// What helps where a model cannot be run.
std::string cure_of(ErrorCode code) {
  const std::string still =
      "quantize it without running it: an importance matrix of llama.cpp's own program "
      "(llama-imatrix) can be given with --imatrix";
  return code == ErrorCode::input_type
             ? still
             : "convert the model again with a program that knows it, or " + still;
}

}  // namespace

Metadata::Metadata(const gguf::Header& header, std::string file)
    : header_(header), file_(std::move(file)) {
  const gguf::Value* const value = header.find("general.architecture");
  const auto name = value ? value->as_string() : std::nullopt;
  if (!name) {
    throw error(ErrorCode::input_format, "general.architecture, the model's kind, is missing");
  }
  architecture_ = *name;
}

Error Metadata::error(ErrorCode code, const std::string& message, std::string_view about) const {
  return {code, message, {.file = file_, .tensor = std::string(about), .cure = cure_of(code)}};
}

std::string Metadata::full(std::string_view key) const {
  return architecture_ + "." + std::string(key);
}

const gguf::Value* Metadata::find(std::string_view key) const {
  return header_.find(full(key));
}

const gguf::Value& Metadata::need(std::string_view key) const {
  if (const gguf::Value* const value = find(key)) return *value;
  throw error(ErrorCode::input_format, full(key) + " is missing, without which it cannot be run");
}

std::uint64_t Metadata::whole_of(std::string_view key, const gguf::Value& value) const {
  if (const auto whole = value.as_uint()) return *whole;
  throw error(ErrorCode::input_format, full(key) + " is not a whole number");
}

std::uint64_t Metadata::whole(std::string_view key) const {
  return whole_of(key, need(key));
}

std::uint64_t Metadata::whole(std::string_view key, std::uint64_t otherwise) const {
  const gguf::Value* const value = find(key);
  return value ? whole_of(key, *value) : otherwise;
}

std::uint64_t Metadata::of_layer(std::string_view key, std::uint64_t layer) const {
  const gguf::Value& value = need(key);
  const auto several = value.as_uints();
  if (!several) return whole_of(key, value);
  if (layer < several->size()) return (*several)[layer];
  throw error(ErrorCode::input_format,
              fmt::format("{} has no number for layer {}", full(key), layer));
}

std::uint64_t Metadata::of_layer(std::string_view key, std::uint64_t layer,
                                 std::uint64_t otherwise) const {
  return has_key(key) ? of_layer(key, layer) : otherwise;
}

bool Metadata::in_pattern(std::string_view key, std::uint64_t layer,
                          std::uint64_t otherwise) const {
  const gguf::Value* const value = find(key);
  if (!value || !value->as_array()) {
    const std::uint64_t period = whole(key, otherwise);
    return period == 0 || layer % period < period - 1;
  }
  const std::vector<gguf::Value> all = value->elements(layer + 1);
  if (layer < all.size()) {
    if (const auto flag = all[layer].as_bool()) return *flag;
    if (const auto number = all[layer].as_int()) return *number != 0;
  }
  throw error(ErrorCode::input_format,
              fmt::format("{} does not say what layer {} is", full(key), layer));
}

float Metadata::number_of(std::string_view key, const gguf::Value& value) const {
  const auto number = value.as_float();
  if (number && std::isfinite(*number)) return static_cast<float>(*number);
  throw error(ErrorCode::input_format, full(key) + " is not a finite number");
}

float Metadata::number(std::string_view key) const {
  return number_of(key, need(key));
}

float Metadata::number(std::string_view key, float otherwise) const {
  return has_key(key) ? number(key) : otherwise;
}

float Metadata::number_of_layer(std::string_view key, std::uint64_t layer, float otherwise) const {
  const gguf::Value* const value = find(key);
  if (!value || !value->as_array()) return number(key, otherwise);
  const std::vector<gguf::Value> all = value->elements(layer + 1);
  if (layer < all.size()) return number_of(key, all[layer]);
  throw error(ErrorCode::input_format,
              fmt::format("{} has no number for layer {}", full(key), layer));
}

bool Metadata::flag(std::string_view key, bool otherwise) const {
  const gguf::Value* const value = find(key);
  if (!value) return otherwise;
  if (const auto flag = value->as_bool()) return *flag;
  throw error(ErrorCode::input_format, full(key) + " is neither true nor false");
}

std::string Metadata::word(std::string_view key, const std::string& otherwise) const {
  const gguf::Value* const value = find(key);
  if (!value) return otherwise;
  if (auto word = value->as_string()) return *std::move(word);
  throw error(ErrorCode::input_format, full(key) + " is not a word");
}

const gguf::Tensor* Metadata::tensor_of(std::string_view name) const {
  const auto found = std::find_if(header_.tensors.begin(), header_.tensors.end(),
                                  [&](const gguf::Tensor& t) { return t.name == name; });
  return found == header_.tensors.end() ? nullptr : &*found;
}

std::string Metadata::matrix(const std::string& tensor, std::uint64_t rows, std::uint64_t columns,
                             std::uint64_t matrices) const {
  const gguf::Tensor* const found = tensor_of(tensor);
  if (!found) {
    throw error(ErrorCode::input_format, "is missing, without which the model cannot be run",
                tensor);
  }
  const std::vector<std::uint64_t> wanted{columns, rows, matrices};
  std::vector<std::uint64_t> shape = found->shape;
  while (shape.size() > wanted.size() && shape.back() == 1) shape.pop_back();
  shape.resize(std::max(shape.size(), wanted.size()), 1);
  if (shape != wanted) {
    throw error(
        ErrorCode::input_format,
        fmt::format("has the shape {}, but the metadata ask for {}", fmt::join(found->shape, " x "),
                    matrices == 1 ? fmt::format("{} x {}", columns, rows)
                                  : fmt::format("{} x {} x {}", columns, rows, matrices)),
        tensor);
  }
  return tensor;
}

std::string Metadata::numbers(const std::string& tensor, std::uint64_t count) const {
  return matrix(tensor, 1, count);
}

std::string Metadata::numbers_if_any(const std::string& tensor, std::uint64_t count) const {
  return has(tensor) ? numbers(tensor, count) : std::string();
}

std::string of_block(std::uint64_t layer, std::string_view name) {
  return fmt::format("blk.{}.{}", layer, name);
}

}  // namespace sluice::model
