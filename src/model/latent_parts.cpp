#include <fmt/format.h>

#include "model/latent_attention.h"

namespace sluice::model {

LatentParts latent_parts(const Metadata& model, std::uint64_t layer, const Frame& frame) {
  const std::uint64_t width = model.whole("embedding_length");
  const std::uint64_t heads = model.of_layer("attention.head_count", layer);
  const std::uint64_t latent = model.whole("attention.kv_lora_rank");
  const bool joined = !model.has(of_block(layer, "attn_k_b.weight")) &&
                      model.has(of_block(layer, "attn_kv_b.weight"));
  const std::uint64_t key =
      model.whole(joined ? "attention.key_length" : "attention.key_length_mla");
  const std::uint64_t value =
      model.whole(joined ? "attention.value_length" : "attention.value_length_mla");
  const std::uint64_t rotated = model.whole("rope.dimension_count");
  if (heads == 0 || latent == 0 || rotated >= key) {
    throw model.error(
        ErrorCode::input_format,
        fmt::format("{} heads with keys of {} numbers, {} of which know positions, made "
                    "of {}, make no sense",
                    heads, key, rotated, latent));
  }
  const auto projection = [&](const char* name, std::uint64_t rows, std::uint64_t columns,
                              std::uint64_t matrices = 1) {
    return Projection::of(model, of_block(layer, name), rows, columns, matrices);
  };
  const auto norm = [&](const char* name, std::uint64_t count) {
    return Norm{.weight = model.numbers(of_block(layer, name), count),
                .epsilon = frame.before.epsilon};
  };
  LatentParts parts{
      .frame = frame,
      .query = {},
      .latent = projection("attn_kv_a_mqa", latent + rotated, width),
      .latent_norm = norm("attn_kv_a_norm.weight", latent),
      .keys = {.weight = {}, .rows = latent, .columns = key - rotated, .matrices = heads},
      .values = {.weight = {}, .rows = value, .columns = latent, .matrices = heads},
      .output = projection("attn_output", width, heads * value),
      .heads = heads,
      .rope = {}};
  if (joined) {
    parts.joined = projection("attn_kv_b", heads * (key - rotated + value), latent);
  } else {
    parts.keys = projection("attn_k_b", latent, key - rotated, heads);
    parts.values = projection("attn_v_b", value, latent, heads);
  }
  if (model.has(of_block(layer, "attn_q_a.weight"))) {
    const std::uint64_t few = model.whole("attention.q_lora_rank");
    parts.query_latent = projection("attn_q_a", few, width);
    parts.query_norm = norm("attn_q_a_norm.weight", few);
    parts.query = projection("attn_q_b", heads * key, few);
  } else {
    parts.query = projection("attn_q", heads * key, width);
  }
  return parts;
}

}  // namespace sluice::model
