#pragma once

// Checkpoints whose matrices are in NVFP4, and what a weight of theirs is.

#include <cmath>
#include <random>

#include "checkpoint/synthetic.h"

namespace sluice::published {

/// Replaces matrices with random ones in NVFP4: as ModelOpt has them all of them, as
/// compressed-tensors those outside of attention, whose others are in FP8.
class InNvfp4 {
 public:
  InNvfp4(checkpoint::Synthetic checkpoint, bool by_modelopt)
      : made_(std::move(checkpoint)), by_modelopt_(by_modelopt) {
    std::vector<std::string> names;
    for (const auto& [name, tensor] : made_.tensors) {
      if (is_replaced(name, tensor)) names.push_back(name);
    }
    for (const std::string& name : names) replace(name);
    if (by_modelopt) {
      tell_modelopt();
    } else {
      tell_compressed_tensors();
    }
  }

  const checkpoint::Synthetic& made() const { return made_; }

 private:
  bool is_replaced(const std::string& name, const checkpoint::SyntheticTensor& tensor) const {
    const auto has = [&](const char* part) { return name.find(part) != name.npos; };
    return has("_proj") && !has("vision_") && !has("multi_modal") && tensor.shape.size() >= 2 &&
           (tensor.dtype == "BF16" || tensor.dtype == "F8_E4M3") && !name.ends_with("_scale") &&
           (by_modelopt_ || has(".mlp."));
  }

  void replace(const std::string& name) {
    std::vector<std::uint64_t> shape = made_.take(name).shape;
    made_.tensors.erase(name + "_scale_inv");
    made_.tensors.erase(name + "_scale");
    const bool joined = shape.size() == 3;  // experts that lie transposed
    std::uint64_t& inputs = joined ? shape[1] : shape.back();
    std::vector<std::uint64_t> blocks = shape;
    (joined ? blocks[1] : blocks.back()) /= 16;
    inputs /= 2;
    const std::string base = joined ? name + "_weight" : name;
    made_.tensors[by_modelopt_ ? name : name + "_packed"] = {
        "U8", shape, bytes(shape, [](std::uint32_t any) { return any; })};
    made_.tensors[base + "_scale"] = {
        // 2^-2 to 28
        "F8_E4M3", blocks, bytes(blocks, [](std::uint32_t any) { return 0x28 + any % 0x34; })};
    const float common = 1e-3f + static_cast<float>(random_() % 1000) * 1.1e-6f;
    if (by_modelopt_) {
      made_.tensors[base + "_scale_2"] = {"F32", {}, checkpoint::packed_bytes<float>({common})};
    } else {
      made_.tensors[base + "_global_scale"] = {
          "F32", {1}, checkpoint::packed_bytes<float>({1 / common})};
    }
  }

  template <class Make>
  std::string bytes(const std::vector<std::uint64_t>& shape, Make make) {
    std::uint64_t count = 1;
    for (const std::uint64_t extent : shape) count *= extent;
    std::string result;
    for (std::uint64_t i = 0; i < count; ++i) result += static_cast<char>(make(random_()));
    return result;
  }

  void tell_modelopt() {  // as its older versions do, in a file of their own
    made_.config.erase("quantization_config");
    made_.texts["hf_quant_config.json"] = R"({"quantization": {"quant_algo": "NVFP4"}})";
  }

  void tell_compressed_tensors() {
    nlohmann::json& config = made_.config["quantization_config"];
    nlohmann::json& groups = config["config_groups"];
    groups["group_0"]["format"] = config["format"];
    groups["group_1"] = {{"format", "nvfp4-pack-quantized"},
                         {"weights", {{"num_bits", 4}, {"type", "float"}, {"group_size", 16}}}};
    config["format"] = "mixed-precision";
  }

  checkpoint::Synthetic made_;
  const bool by_modelopt_;
  std::mt19937 random_{2};
};

}  // namespace sluice::published
