#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/part.h"

namespace sluice::model {

/// What is run, one after the other.
using Layer = std::vector<std::unique_ptr<Part>>;

/// A model: what each of its layers is made of, and what is before and behind them.
struct Description {
  std::uint64_t width = 0;
  std::uint64_t vocabulary = 0;
  std::string embedding;      ///< a matrix [vocabulary, width]
  float embedding_scale = 1;  ///< what its rows are multiplied by
  std::vector<Layer> layers;
  Norm output_norm;
  Projection output;    ///< the embedding itself, where a model has no other
  float logit_cap = 0;  ///< logits become cap * tanh(logit / cap); 0: they stay
};

/// A layer of such parts.
template <typename... Parts>
Layer layer_of(std::unique_ptr<Parts>... parts) {
  Layer layer;
  (layer.push_back(std::move(parts)), ...);
  return layer;
}

/// Makes one layer of a model.
using LayerOf = std::function<Layer(std::uint64_t layer)>;

/// A model with the usual beginning and end. Layers that predict further tokens are left out.
Description describe(const Metadata& model, const LayerOf& make_layer);

/// The usual norm: its numbers at `tensor`.weight, its epsilon in the metadata.
Norm norm_of(const Metadata& model, const std::string& tensor);
/// The frame of a part of a layer: norms before it and behind it, if they have names.
Frame frame_of(const Metadata& model, std::uint64_t layer, const char* before,
               const char* after = nullptr);

/// How a family is described.
struct Family {
  const char* architecture;  ///< as GGUF calls it
  Description (*describe)(const Metadata& model);
};

/// The family of a model.
/// \throws Error (input_type) if there is none, which names those that there are
const Family& family_of(const Metadata& model);

}  // namespace sluice::model
