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
constexpr const char* kPackedIntegers = "pack-quantized";
constexpr const char* kNvfp4 = "nvfp4-pack-quantized";
constexpr std::string_view kAlgorithm = "quant_algo";

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

/// NVFP4 says for itself how its weights lie: config.json can only say something else.
void expect_nvfp4(const Config& config, const Config& weights) {
  if (weights.find_whole({"num_bits"}).value_or(4) != 4 ||
      weights.find_text({"type"}).value_or("float") != "float" ||
      weights.find_whole({"group_size"}).value_or(16) != 16 ||
      weights.find_truth({"symmetric"}) == false) {
    refuse_method(config, "compressed-tensors in NVFP4 that is not E2M1 in groups of 16");
  }
}

void expect_format(const Config& config, const std::string& format) {
  constexpr std::array kRead = {"dense",         "float-quantized", "naive-quantized",
                                "int-quantized", kPackedIntegers,   kNvfp4};
  if (std::ranges::find(kRead, format) != kRead.end()) return;
  refuse_method(config, fmt::format("compressed-tensors in the format {}", printable(format)));
}

Quantization compressed_tensors(const Config& config) {
  Quantization result{.method = Quantization::Method::compressed_tensors};
  const std::string format = config.find_text({"format"}).value_or("dense");
  const bool mixed = format == "mixed-precision";
  if (!mixed) expect_format(config, format);
  const std::optional<Config> groups = config.find_object({"config_groups"});
  if (!groups) return result;
  const Json* first = nullptr;
  for (const auto& group : config.at("config_groups").items()) {
    const std::optional<Config> settings = groups->find_object({group.key()});
    const std::optional<Config> weights = settings ? settings->find_object({"weights"}) : settings;
    if (!weights) continue;
    const std::string own = mixed ? settings->find_text({"format"}).value_or("dense") : format;
    if (mixed) expect_format(config, own);
    if (own == kNvfp4) {
      expect_nvfp4(config, *weights);
      continue;
    }
    const Json& json = group.value().at("weights");
    if (first != nullptr && *first != json) {
      refuse_method(config, "compressed-tensors in several ways at once");
    }
    first = &json;
    read_group(config, *weights, own == kPackedIntegers, result);
  }
  return result;
}

void expect_algorithm(const Config& config, const std::string& algorithm) {
  constexpr std::array kRead = {
      "NVFP4",     "NVFP4_AWQ",      "W4A16_NVFP4", "FP8", "FP8_PER_CHANNEL_PER_TOKEN",
      "FP8_PB_WO", "MIXED_PRECISION"};
  std::string upper = algorithm;  // some versions write small letters
  for (char& letter : upper) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  if (std::ranges::find(kRead, upper) != kRead.end()) return;
  refuse_method(config, fmt::format("modelopt as {}", printable(algorithm)));
}

/// Which weights are quantized, and how, their tensors tell.
Quantization modelopt(const Config& config) {
  constexpr std::string_view kLayers = "quantized_layers";
  if (const auto all = config.find_text({kAlgorithm})) expect_algorithm(config, *all);
  if (const auto layers = config.find_object({kLayers})) {
    for (const auto& layer : config.at(kLayers).items()) {
      const std::optional<Config> settings = layers->find_object({layer.key()});
      const auto own = settings ? settings->find_text({kAlgorithm}) : std::nullopt;
      if (own) expect_algorithm(config, *own);
    }
  }
  return {.method = Quantization::Method::modelopt};
}

}  // namespace

Quantization read_quantization(const Folder& folder, const Config& config) {
  const std::optional<Config> what = config.find_object({"quantization_config"});
  if (!what) {
    const std::string* const own = folder.text(kModeloptFile);
    if (own == nullptr) return {};
    const Config file = parse_config(*own, folder.file(kModeloptFile));
    return modelopt(file.find_object({"quantization"}).value_or(file));
  }
  const bool is_modelopt = !what->has("quant_method") && what->has(kAlgorithm);
  const std::string method =
      is_modelopt ? "modelopt"
                  : what->find_text({"quant_method"}).value_or("no method that it names");
  if (method == "fp8") return fp8(*what);
  if (method == "compressed-tensors") return compressed_tensors(*what);
  if (method == "modelopt") return modelopt(*what);
  if (method == "mxfp4") {
    return {.method = Quantization::Method::mxfp4, .block_rows = 1, .block_columns = kBlockOfMxfp4};
  }
  refuse_method(config, printable(method));
}

}  // namespace sluice::checkpoint
