#pragma once

// Models in which one matrix is left for a test to add, and the weights that are made of it.

#include <stdexcept>
#include <string>
#include <vector>

#include "checkpoint/listing.h"
#include "checkpoint/synthetic.h"

namespace sluice::checkpoint {

/// A model of one layer, in which `model.layers.0.mlp.up_proj` is left for the test to add.
inline Synthetic one_layer() {
  Synthetic checkpoint("qwen3_moe_fused");
  const auto is_expert = [](const auto& tensor) {
    return tensor.first.find(".mlp.") != std::string::npos;
  };
  std::erase_if(checkpoint.tensors, is_expert);
  checkpoint.config["architectures"] = {"Qwen3ForCausalLM"};
  return checkpoint;
}

inline const std::string kUp = "model.layers.0.mlp.up_proj.weight";

struct Weights {
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
  TensorType type;
};

inline Weights weights_of(const Synthetic& checkpoint,
                          const std::string& name = "blk.0.ffn_up.weight") {
  const auto fixture = checkpoint.make(2);
  const Model model = read_checkpoint(fixture->folder, {});
  for (std::size_t i = 0; i < model.weights.sources.size(); ++i) {
    const gguf::Tensor& tensor = model.header.tensors[i];
    if (tensor.name != name) continue;
    return {tensor.shape, Evaluator(*fixture, model).weights(model.weights.sources[i]),
            tensor.type};
  }
  throw std::runtime_error("no tensor " + name);
}

}  // namespace sluice::checkpoint
