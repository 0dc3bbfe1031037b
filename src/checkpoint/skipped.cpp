#include "checkpoint/skipped.h"

#include <algorithm>
#include <array>

namespace sluice::checkpoint {
namespace {

constexpr std::array<std::string_view, 16> kOfNoTextModel = {
    "visual.",         "vision.",        "audio.",      "talker.",       "vision_",
    "audio_",          "sam_model",      "token2wav.",  "code2wav.",     "projector.",
    "image_newline",   "view_seperator", "patch_embed", "patch_merger.", "pre_mm_projector_norm",
    "model.connector."};
constexpr std::array<std::string_view, 7> kNoTextModelBegins = {
    "mlp", "vit.", "vpm.", "siglip2.", "merger.", "resampler.", "sound_"};
constexpr std::array<std::string_view, 3> kComputed = {".attention.masked_bias", ".attention.bias",
                                                       ".rotary_emb.inv_freq"};
constexpr std::array<std::string_view, 9> kOfActivations = {
    ".activation_scale",   "_activation_scale", ".input_scale", "_input_scale", ".qscale_act",
    ".input_global_scale", ".k_scale",          ".v_scale",     ".output_scale"};

}  // namespace

std::string_view kind_of_skipped(std::string_view name, Quantization::Method method) {
  const auto within = [&](std::string_view part) { return name.find(part) != name.npos; };
  const auto begins = [&](std::string_view part) { return name.starts_with(part); };
  const auto ends = [&](std::string_view part) { return name.ends_with(part); };
  if (std::ranges::any_of(kOfNoTextModel, within) ||
      std::ranges::any_of(kNoTextModelBegins, begins)) {
    return "for images, video or sound";
  }
  if (std::ranges::any_of(kComputed, ends)) return "that are computed at loading";
  if (method != Quantization::Method::none && std::ranges::any_of(kOfActivations, ends)) {
    return "that scale activations";
  }
  return {};
}

}  // namespace sluice::checkpoint
