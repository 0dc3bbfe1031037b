#include "model/description.h"

#include <fmt/format.h>

namespace sluice::model {
namespace {

constexpr const char* kEmbedding = "token_embd.weight";

std::uint64_t vocabulary_of(const Metadata& model) {
  const gguf::Tensor* const embedding = model.tensor_of(kEmbedding);
  if (!embedding || embedding->shape.size() < 2) {
    throw model.error(ErrorCode::input_format, "is missing, or no matrix", kEmbedding);
  }
  return embedding->shape[1];
}

Projection output_of(const Metadata& model, std::uint64_t vocabulary, std::uint64_t width) {
  if (model.has("output.weight")) return Projection::of(model, "output", vocabulary, width);
  return {.weight = kEmbedding,
          .bias = model.numbers_if_any("output.bias", vocabulary),
          .rows = vocabulary,
          .columns = width};
}

}  // namespace

Description describe(const Metadata& model, const LayerOf& make_layer) {
  Description description;
  description.width = model.whole("embedding_length");
  if (description.width == 0) {
    throw model.error(ErrorCode::input_format, "its embeddings have no numbers");
  }
  description.vocabulary = vocabulary_of(model);
  description.embedding = model.matrix(kEmbedding, description.vocabulary, description.width);
  description.output_norm = norm_of(model, "output_norm");
  description.output = output_of(model, description.vocabulary, description.width);
  const std::uint64_t layers = model.whole("block_count");
  const std::uint64_t further = model.whole("nextn_predict_layers", 0);
  for (std::uint64_t i = 0; i + further < layers; ++i) {
    description.layers.push_back(make_layer(i));
  }
  return description;
}

Norm norm_of(const Metadata& model, const std::string& tensor) {
  return {.weight = model.numbers(tensor + ".weight", model.whole("embedding_length")),
          .epsilon = model.number("attention.layer_norm_rms_epsilon")};
}

Frame frame_of(const Metadata& model, std::uint64_t layer, const char* before, const char* after) {
  Frame frame;
  frame.before.epsilon = model.number("attention.layer_norm_rms_epsilon");
  if (before) frame.before = norm_of(model, of_block(layer, before));
  if (after) frame.after = norm_of(model, of_block(layer, after));
  return frame;
}

}  // namespace sluice::model
