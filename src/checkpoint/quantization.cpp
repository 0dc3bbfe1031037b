#include "checkpoint/quantization.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

constexpr std::uint64_t kBlockOfMxfp4 = 32;

[[noreturn]] void refuse_method(const Config& config, const std::string& what) {
  throw Error(ErrorCode::input_type,
              fmt::format("the weights are quantized by {}, which sluice does not read", what),
              {.file = config.file(),
               .cure = "Take the checkpoint that this one was made from, in 16 bits or FP8"});
}

/// Two numbers as a list or as "128x128".
std::pair<std::uint64_t, std::uint64_t> block_of(const Config& config, std::string_view key) {
  const Json& json = config.at(key);
  std::vector<double> numbers;
  if (json.is_string()) {
    const auto text = json.get<std::string>();
    unsigned rows = 0;
    unsigned columns = 0;
    if (std::sscanf(text.c_str(), "%9ux%9u", &rows, &columns) == 2) {
      numbers = {static_cast<double>(rows), static_cast<double>(columns)};
    }
  } else {
    numbers = config.find_numbers(key).value();
  }
  if (numbers.size() != 2 || !(numbers[0] >= 1 && numbers[1] >= 1) || numbers[0] > 1e9 ||
      numbers[1] > 1e9) {
    config.refuse(key, "expected are two numbers, the rows and columns of a block");
  }
  return {static_cast<std::uint64_t>(numbers[0]), static_cast<std::uint64_t>(numbers[1])};
}

Quantization fp8(const Config& config) {
  Quantization result{.method = Quantization::Method::fp8};
  constexpr std::string_view kBlock = "weight_block_size";
  if (config.has(kBlock)) {
    std::tie(result.block_rows, result.block_columns) = block_of(config, kBlock);
  }
  return result;
}

void read_group(const Config& config, const Config& weights, bool packed, Quantization& result) {
  if (weights.find_truth({"symmetric"}) == false) {
    refuse_method(config, "compressed-tensors with zero points");
  }
  constexpr std::string_view kOrder = "actorder";
  if (weights.has(kOrder) && weights.at(kOrder) != Json("static") &&
      weights.at(kOrder) != Json("weight") && weights.at(kOrder) != Json(false)) {
    refuse_method(config, "compressed-tensors with columns in another order (actorder)");
  }
  if (weights.has("block_structure")) {
    std::tie(result.block_rows, result.block_columns) = block_of(weights, "block_structure");
  } else if (weights.find_text({"strategy"}) == "group") {
    result.block_rows = 1;
    result.block_columns = weights.positive({"group_size"});
  }
  if (!packed) return;
  const std::uint64_t bits = weights.whole({"num_bits"});
  if ((bits != 4 && bits != 8) || weights.find_text({"type"}).value_or("int") != "int") {
    refuse_method(config, fmt::format("compressed-tensors with {} bits packed", bits));
  }
  result.packed_bits = static_cast<unsigned>(bits);
}

Quantization compressed_tensors(const Config& config) {
  Quantization result{.method = Quantization::Method::compressed_tensors};
  const std::string format = config.find_text({"format"}).value_or("dense");
  constexpr std::array kPlain = {"dense", "float-quantized", "naive-quantized", "int-quantized"};
  const bool packed = format == "pack-quantized";
  if (!packed && std::ranges::find(kPlain, format) == kPlain.end()) {
    refuse_method(config, fmt::format("compressed-tensors in the format {}", printable(format)));
  }
  const std::optional<Config> groups = config.find_object({"config_groups"});
  if (!groups) return result;
  const Json* first = nullptr;
  for (const auto& group : config.at("config_groups").items()) {
    const std::optional<Config> settings = groups->find_object({group.key()});
    const std::optional<Config> weights = settings ? settings->find_object({"weights"}) : settings;
    if (!weights) continue;
    const Json& json = group.value().at("weights");
    if (first != nullptr && *first != json) {
      refuse_method(config, "compressed-tensors in several ways at once");
    }
    first = &json;
    read_group(config, *weights, packed, result);
  }
  return result;
}

}  // namespace

Quantization read_quantization(const Config& config) {
  const std::optional<Config> what = config.find_object({"quantization_config"});
  if (!what) return {};
  const std::string method = what->find_text({"quant_method"}).value_or("no method that it names");
  if (method == "fp8") return fp8(*what);
  if (method == "compressed-tensors") return compressed_tensors(*what);
  if (method == "mxfp4") {
    return {.method = Quantization::Method::mxfp4, .block_rows = 1, .block_columns = kBlockOfMxfp4};
  }
  refuse_method(config, printable(method));
}

}  // namespace sluice::checkpoint
