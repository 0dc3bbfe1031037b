#include "checkpoint/rope.h"

#include <array>
#include <cmath>
#include <numbers>

#include "base/text.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

constexpr std::string_view kFull = "full_attention";
constexpr std::string_view kSliding = "sliding_attention";

/// All parameters as one object: those of the newer spelling, or else the older, filled up with
/// what stands beside them in config.json.
Config gather_rope(const Config& config) {
  Config rope =
      config.find_object({"rope_parameters", "rope_scaling"}).value_or(Config(config.file(), {}));
  if (rope.has(kFull) || rope.has(kSliding)) return rope;
  const auto fill = [&](std::string_view key, const auto& value) {
    if (!rope.has(key) && value) rope.set(key, *value);
  };
  fill("rope_theta", config.find_number({"global_rope_theta", "rope_global_theta",
                                         "rope_theta_global", "rope_theta", "rotary_emb_base"}));
  fill("rope_type", rope.find_text({"type"}));
  fill("partial_rotary_factor",
       config.find_number({"partial_rotary_factor", "rope_pct", "rope_percent"}));
  fill("original_max_position_embeddings", config.find_whole({"original_max_position_embeddings"}));
  return rope;
}

/// The base of the layers that look at a window only.
std::optional<double> sliding_base(const Config& config, const Config& rope) {
  if (const std::optional<Config> sliding = rope.find_object({kSliding})) {
    return sliding->find_number({"rope_theta"});
  }
  return config.find_number({"local_rope_theta", "rope_local_theta", "rope_theta_local",
                             "swa_rope_theta", "rope_local_base_freq"});
}

void scaling_keys(const Config& rope, Metadata& out) {
  const std::string type = rope.find_text({"rope_type"}).value_or("default");
  const std::optional<double> factor = rope.find_number({"factor"});
  if (type == "longrope" || type == "su") out.set("rope.scaling.type", gguf::Value::of("longrope"));
  if (!factor || (type != "linear" && type != "yarn")) return;
  out.set("rope.scaling.type", gguf::Value::of(std::string_view(type)));
  out.number("rope.scaling.factor", factor);
  if (type != "yarn") return;
  out.whole("rope.scaling.original_context_length",
            rope.whole({"original_max_position_embeddings"}));
  out.number("rope.scaling.yarn_ext_factor", rope.find_number({"extrapolation_factor"}));
  out.number("rope.scaling.yarn_attn_factor",
             rope.find_number({"attention_factor", "attn_factor"}));
  out.number("rope.scaling.yarn_beta_fast", rope.find_number({"beta_fast"}));
  out.number("rope.scaling.yarn_beta_slow", rope.find_number({"beta_slow"}));
}

}  // namespace

Config rope_parameters(const Config& config) {
  Config rope = gather_rope(config);
  return rope.find_object({kFull}).value_or(std::move(rope));
}

void rope_keys(const Config& config, Metadata& out) {
  const Config all = gather_rope(config);
  const Config rope = rope_parameters(config);
  scaling_keys(rope, out);
  if (const auto sections = all.find_numbers("mrope_section")) {
    std::array<std::int32_t, 4> padded{};
    if (sections->size() > padded.size()) all.refuse("mrope_section", "it has more than four");
    for (std::size_t i = 0; i < sections->size(); ++i) {
      const double section = sections->at(i);
      if (section < 0 || section > 1e6) all.refuse("mrope_section", "expected are small numbers");
      padded.at(i) = static_cast<std::int32_t>(section);
    }
    out.set("rope.dimension_sections", gguf::Value::of_ints(padded));
  }
  out.number("rope.freq_base", rope.find_number({"rope_theta"}));
  out.number("rope.freq_base_swa", sliding_base(config, all));
}

std::uint64_t rotating_part(const Config& config, double otherwise) {
  const Config rope = rope_parameters(config);
  const double part = rope.find_number({"partial_rotary_factor"}).value_or(otherwise);
  if (!(part >= 0 && part <= 1)) rope.refuse("partial_rotary_factor", "expected is 0 to 1");
  return static_cast<std::uint64_t>(static_cast<double>(head_size(config)) * part);
}

std::optional<std::vector<float>> llama3_rope_factors(const Config& config) {
  const Config rope = rope_parameters(config);
  if (rope.find_text({"rope_type"}) != "llama3") return std::nullopt;
  const std::uint64_t size = head_size(config);
  constexpr std::uint64_t kWidestHead = 65536;
  if (size > kWidestHead) config.refuse("head_dim", "a head is not so wide");
  const double base = rope.find_number({"rope_theta"}).value_or(10000.0);
  const auto f32 = [&](std::string_view key, double otherwise) {
    return static_cast<float>(rope.find_number({key}).value_or(otherwise));
  };
  const float factor = f32("factor", 8);
  const float low = f32("low_freq_factor", 1);
  const float high = f32("high_freq_factor", 4);
  const float context = f32("original_max_position_embeddings", 8192);
  if (!(base > 0) || !(factor > 0) || !(low > 0) || !(high >= low)) {
    rope.refuse("factor", "the factors of rope_type llama3 make no sense");
  }
  std::vector<float> factors;
  for (std::uint64_t i = 0; i < size; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(size);
    const float frequency = 1.0f / std::pow(static_cast<float>(base), exponent);
    const float length = 2.0f * std::numbers::pi_v<float> / frequency;
    if (length < context / high) {
      factors.push_back(1.0f);
    } else if (length > context / low || high == low) {
      factors.push_back(factor);
    } else {
      const float smooth = (context / length - low) / (high - low);
      factors.push_back(1.0f / ((1.0f - smooth) / factor + smooth));
    }
  }
  return factors;
}

}  // namespace sluice::checkpoint
