#include <fmt/format.h>

#include "model/delta_net.h"

namespace sluice::model {
namespace {

void check(const Metadata& model, std::uint64_t layer, const DeltaHeads& heads,
           std::uint64_t inner) {
  constexpr std::uint64_t kMost = 1 << 20;
  const auto sensible = [](std::uint64_t n) { return n > 0 && n <= kMost; };
  if (sensible(heads.key_heads) && sensible(heads.value_heads) && sensible(heads.key_length) &&
      sensible(heads.value_length) && inner == heads.values() &&
      heads.value_heads % heads.key_heads == 0) {
    return;
  }
  throw model.error(
      ErrorCode::input_format,
      fmt::format("layer {} cannot have {} heads of keys of {} numbers and {} of values, of {} "
                  "numbers all together",
                  layer, heads.key_heads, heads.key_length, heads.value_heads, inner));
}

}  // namespace

DeltaNetParts delta_net_parts(const Metadata& model, std::uint64_t layer, const Frame& frame,
                              bool tiled) {
  const std::uint64_t width = model.whole("embedding_length");
  const std::uint64_t inner = model.whole("ssm.inner_size");
  DeltaHeads heads{.key_heads = model.whole("ssm.group_count"),
                   .value_heads = model.whole("ssm.time_step_rank"),
                   .key_length = model.whole("ssm.state_size"),
                   .tiled = tiled};
  if (heads.value_heads != 0) heads.value_length = inner / heads.value_heads;
  check(model, layer, heads, inner);
  const auto projection = [&](const char* name, std::uint64_t rows, std::uint64_t columns) {
    return Projection::of(model, of_block(layer, name), rows, columns);
  };
  const std::uint64_t taps = model.whole("ssm.conv_kernel");
  DeltaNetParts parts{
      .frame = frame,
      .heads = heads,
      .mixed = projection("attn_qkv", heads.channels(), width),
      .gate = projection("attn_gate", heads.values(), width),
      .rates = {},
      .taps = taps,
      .convolution = model.matrix(of_block(layer, "ssm_conv1d.weight"), heads.channels(), taps),
      .decay = model.numbers(of_block(layer, "ssm_a"), heads.value_heads),
      .decay_bias = model.numbers(of_block(layer, "ssm_dt.bias"), heads.value_heads),
      .norm = {.weight = model.numbers(of_block(layer, "ssm_norm.weight"), heads.value_length),
               .epsilon = frame.before.epsilon},
      .output = projection("ssm_out", width, heads.values())};
  if (model.has(of_block(layer, "ssm_ba.weight"))) {
    parts.rates.push_back(projection("ssm_ba", 2 * heads.value_heads, width));
  } else {
    parts.rates.push_back(projection("ssm_beta", heads.value_heads, width));
    parts.rates.push_back(projection("ssm_alpha", heads.value_heads, width));
  }
  return parts;
}

}  // namespace sluice::model
