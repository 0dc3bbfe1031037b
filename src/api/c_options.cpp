#include "api/c_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "sluice/error.h"
#include "sluice/recipe_text.h"

namespace sluice {
namespace {

template <typename T>
using Choices = std::vector<std::pair<std::string_view, T>>;

template <typename T>
T chosen(std::string_view name, std::string_view value, const Choices<T>& choices) {
  std::string known;
  for (const auto& [text, choice] : choices) {
    if (text == value) return choice;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", text);
  }
  throw Error(ErrorCode::usage, fmt::format("option '{}' cannot be '{}'", name, value),
              {.cure = fmt::format("Known: {}", known)});
}

bool truth(std::string_view name, std::string_view value) {
  return chosen<bool>(name, value, {{"true", true}, {"false", false}});
}

// `digits`, all of `value` but its unit, are a number from `least` to `most`.
template <typename T>
T number(std::string_view name, std::string_view value, std::string_view digits, T least, T most) {
  T result{};
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, result);
  if (error != std::errc() || end != last || !(result >= least) || !(result <= most)) {
    throw Error(ErrorCode::usage, fmt::format("option '{}' cannot be '{}'", name, value),
                {.cure = fmt::format("A number from {} to {} will do", least, most)});
  }
  return result;
}

template <typename T>
T number(std::string_view name, std::string_view value, T least, T most) {
  return number(name, value, value, least, most);
}

// Bytes, with K, M, G or T for a `thousand` of the one before.
std::uint64_t size(std::string_view name, std::string_view value, std::uint64_t thousand) {
  constexpr std::string_view kUnits = "KMGT";
  std::string_view digits = value;
  std::uint64_t unit = 1;
  if (!value.empty()) {
    if (const std::size_t place = kUnits.find(value.back()); place != kUnits.npos) {
      for (std::size_t i = 0; i <= place; ++i) unit *= thousand;
      digits.remove_suffix(1);
    }
  }
  return number<std::uint64_t>(name, value, digits, 0, ~std::uint64_t{0} / unit) * unit;
}

Isa isa(std::string_view name, std::string_view value) {
  Choices<Isa> choices = {{"auto", best_isa()}};
  for (const Isa each : supported_isas()) choices.emplace_back(sluice::name(each), each);
  return chosen<Isa>(name, value, choices);
}

void append(std::vector<TypeRule>& rules, const std::vector<TypeRule>& more) {
  rules.insert(rules.end(), more.begin(), more.end());
}

}  // namespace

void set_option(sluice_options& options, std::string_view name, std::string_view value) {
  QuantizeOptions& o = options.quantize;
  const std::map<std::string_view, std::function<void()>> setters = {
      {"input", [&] { o.input = value; }},
      {"output", [&] { o.output = value; }},
      {"against", [&] { options.against = value; }},
      {"imatrix", [&] { o.imatrix = value; }},
      {"trace", [&] { o.trace = value; }},
      {"type", [&] { o.file_type = &parse_file_type(value, o.mix); }},
      {"mix",
       [&] {
         o.mix = chosen<Mix>(name, value,
                             {{"llama.cpp", Mix::llama_cpp}, {"ik_llama.cpp", Mix::ik_llama_cpp}});
       }},
      {"effort",
       [&] {
         o.effort = chosen<Effort>(name, value, {{"fast", Effort::fast}, {"best", Effort::best}});
       }},
      {"io",
       [&] {
         o.io = chosen<IoMode>(name, value,
                               {{"auto", IoMode::automatic},
                                {"mmap", IoMode::mmap},
                                {"async", IoMode::async},
                                {"read", IoMode::plain}});
       }},
      {"spindle",
       [&] {
         o.spindle = chosen<Spindle>(name, value,
                                     {{"auto", Spindle::automatic},
                                      {"shared", Spindle::shared},
                                      {"separate", Spindle::separate}});
       }},
      {"isa", [&] { o.isa = isa(name, value); }},
      {"threads", [&] { o.threads = number<int>(name, value, 0, 1024); }},
      {"memory", [&] { o.memory = size(name, value, 1024); }},
      {"split-max-size", [&] { o.split.max_bytes = size(name, value, 1000); }},
      {"split-max-tensors",
       [&] { o.split.max_tensors = number<std::uint64_t>(name, value, 1, 0x7fffffff); }},
      {"keep-split", [&] { o.split.keep = truth(name, value); }},
      {"leave-output-tensor", [&] { o.leave_output = truth(name, value); }},
      {"output-tensor-type", [&] { o.output_tensor = parse_tensor_type(value); }},
      {"token-embedding-type", [&] { o.token_embedding = parse_tensor_type(value); }},
      {"per-layer-token-embedding-type",
       [&] { o.per_layer_token_embedding = parse_tensor_type(value); }},
      {"ffn-gate-inp-type", [&] { o.ffn_gate_inp = parse_tensor_type(value); }},
      {"attn-q-type", [&] { o.kinds.attn_q = parse_tensor_type(value); }},
      {"attn-k-type", [&] { o.kinds.attn_k = parse_tensor_type(value); }},
      {"attn-v-type", [&] { o.kinds.attn_v = parse_tensor_type(value); }},
      {"attn-qkv-type", [&] { o.kinds.attn_qkv = parse_tensor_type(value); }},
      {"attn-output-type", [&] { o.kinds.attn_output = parse_tensor_type(value); }},
      {"ffn-gate-type", [&] { o.kinds.ffn_gate = parse_tensor_type(value); }},
      {"ffn-down-type", [&] { o.kinds.ffn_down = parse_tensor_type(value); }},
      {"ffn-up-type", [&] { o.kinds.ffn_up = parse_tensor_type(value); }},
      {"tensor-type", [&] { o.tensor_types.push_back(parse_tensor_rule(value)); }},
      {"tensor-type-file", [&] { append(o.tensor_types, read_tensor_rules(std::string(value))); }},
      {"custom-q", [&] { append(o.custom_types, parse_custom_rules(value)); }},
      {"override-kv", [&] { o.edits.metadata.push_back(parse_metadata_override(value)); }},
      {"prune-layers", [&] { o.edits.pruned_layers = parse_layers(value); }},
      {"include-weights", [&] { o.use.include.emplace_back(value); }},
      {"exclude-weights", [&] { o.use.exclude.emplace_back(value); }},
      {"hide-imatrix", [&] { o.hide_imatrix = truth(name, value); }},
      {"partial-requant", [&] { o.skip_existing = truth(name, value); }},
      {"checkpoint", [&] { o.checkpoint_s = number<double>(name, value, 0, 3600); }},
      {"pure", [&] { o.pure = truth(name, value); }},
      {"ignore-imatrix-rules", [&] { o.ignore_imatrix_rules = truth(name, value); }},
      {"allow-requantize", [&] { o.allow_requantize = truth(name, value); }},
      {"restart", [&] { o.restart = truth(name, value); }},
      {"verify", [&] { o.verify = truth(name, value); }},
      {"verify-resume", [&] { o.verify_resume = truth(name, value); }}};
  const auto setter = setters.find(name);
  if (setter == setters.end()) {
    throw Error(ErrorCode::usage, fmt::format("there is no option '{}'", name),
                {.cure = "sluice.h lists all"});
  }
  setter->second();
}

}  // namespace sluice

sluice::VerifyOptions sluice_options::verify() const {
  sluice::VerifyOptions options;
  static_cast<sluice::StreamingOptions&>(options) = quantize;
  options.output = quantize.output;
  options.against = against;
  options.imatrix = quantize.imatrix;
  return options;
}
