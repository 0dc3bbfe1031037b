#include "gguf/llama_cpp_demands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string_view>

#include "base/text.h"
#include "sluice/amounts.h"

namespace sluice::gguf {
namespace {

constexpr std::size_t kLongestName = 63;  // GGML_MAX_NAME has room for a zero besides

struct Demand {
  std::string_view key;
  ValueType type;
  bool or_array = false;  ///< one value a layer will do too
};

constexpr std::array kDemands = {
    Demand{"general.architecture", ValueType::string},
    Demand{"general.alignment", ValueType::u32},
    Demand{"general.file_type", ValueType::u32},
    Demand{"general.name", ValueType::string},
    Demand{"general.quantization_version", ValueType::u32},
    Demand{"split.no", ValueType::u16},
    Demand{"split.count", ValueType::u16},
    Demand{"split.tensors.count", ValueType::i32},
};

// Behind the architecture's name.
constexpr std::array kHyperparameters = {
    Demand{".block_count", ValueType::u32},
    Demand{".context_length", ValueType::u32},
    Demand{".embedding_length", ValueType::u32},
    Demand{".vocab_size", ValueType::u32},
    Demand{".expert_count", ValueType::u32},
    Demand{".expert_used_count", ValueType::u32},
    Demand{".feed_forward_length", ValueType::u32, true},
    Demand{".attention.head_count", ValueType::u32, true},
    Demand{".attention.head_count_kv", ValueType::u32, true},
};

template <typename T>
std::optional<Value> whole_number(const Value& value) {
  const std::optional<std::uint64_t> number = value.as_uint();
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) return {};
  return Value::of(static_cast<T>(*number));
}

std::optional<Value> in_type(const Value& value, ValueType wanted) {
  switch (wanted) {
    case ValueType::u16:
      return whole_number<std::uint16_t>(value);
    case ValueType::i32:
      return whole_number<std::int32_t>(value);
    case ValueType::u32:
      return whole_number<std::uint32_t>(value);
    default:
      return {};
  }
}

bool has_type(TensorType type) {
  constexpr std::uint32_t kFirstOfIk = 133;
  return static_cast<std::uint32_t>(type) < kFirstOfIk &&
         std::ranges::count(tensor_types(), type, &TensorTypeInfo::type) > 0;
}

}  // namespace

std::vector<MistypedValue> mistyped_values(const Header& header) {
  std::vector<MistypedValue> wrong;
  const auto check = [&](const std::string& key, const Demand& demand) {
    const Value* value = header.find(key);
    if (value == nullptr || value->type == demand.type) return;
    if (demand.or_array && value->type == ValueType::array) return;
    wrong.push_back({key, value->type, demand.type, in_type(*value, demand.type)});
  };
  for (const Demand& demand : kDemands) check(std::string(demand.key), demand);
  if (const Value* architecture = header.find("general.architecture")) {
    const std::string prefix = architecture->as_string().value_or("");
    for (const Demand& demand : kHyperparameters) check(prefix + std::string(demand.key), demand);
  }
  return wrong;
}

std::optional<std::string> long_names(const Header& header) {
  const auto is_long = [](const Tensor& tensor) { return tensor.name.size() > kLongestName; };
  const auto count = std::ranges::count_if(header.tensors, is_long);
  if (count == 0) return std::nullopt;
  return fmt::format(
      "{} longer than the {} bytes that llama.cpp reads, so that it does not load the file; the "
      "first is {}",
      counted(static_cast<std::uint64_t>(count), "tensor's name is", "tensors' names are"),
      kLongestName, printable(std::ranges::find_if(header.tensors, is_long)->name));
}

std::optional<std::string> foreign_types(const Header& header) {
  std::set<TensorType> types;
  for (const Tensor& tensor : header.tensors) {
    if (!has_type(tensor.type)) types.insert(tensor.type);
  }
  if (types.empty()) return std::nullopt;
  std::vector<std::string_view> names;
  for (const TensorType type : types) names.push_back(name(type));
  return fmt::format("llama.cpp has no types {}", fmt::join(names, ", "));
}

}  // namespace sluice::gguf
