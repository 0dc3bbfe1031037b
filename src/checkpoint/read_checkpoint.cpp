#include "checkpoint/read_checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "checkpoint/families/family.h"
#include "checkpoint/general.h"
#include "checkpoint/quantization.h"
#include "checkpoint/stored_tensors.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

constexpr std::string_view kConfigFile = "config.json";

Config read_config(const Folder& folder) {
  const std::string* const text = folder.text(kConfigFile);
  if (text == nullptr) {
    throw Error(ErrorCode::input_open, "there is no config.json beside the weights",
                {.file = folder.path,
                 .cure = "Download all small files of the checkpoint into one folder"});
  }
  return parse_config(*text, folder.file(kConfigFile));
}

const Family& family_of(const Config& config) {
  const std::string name = model_class(config);
  for (const Family& family : families()) {
    if (std::ranges::find(family.classes, name) != family.classes.end()) return family;
  }
  std::vector<std::string_view> known;
  for (const Family& family : families()) known.push_back(family.architecture);
  throw Error(ErrorCode::input_type,
              fmt::format("sluice does not read models of the class {}", printable(name)),
              {.file = config.file(),
               .cure = fmt::format("Convert it to a 16-bit GGUF with llama.cpp's "
                                   "convert_hf_to_gguf.py, and quantize that; read are {}",
                                   fmt::join(known, ", "))});
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

/// A stored name with N and E for its numbers and without what differs between writers.
struct NamePattern {
  std::string text;
  std::string suffix = {};  ///< of "weight" and "bias", the one that it ends with
  std::optional<std::uint64_t> layer = {};
  std::uint64_t expert = 0;
};

/// Takes the number after `before` out of the text, in which `letter` replaces it.
std::optional<std::uint64_t> take_number(std::string& text, std::string_view before, char letter) {
  std::size_t at = text.find(before);
  if (at == text.npos || (at != 0 && text[at - 1] != '.')) return std::nullopt;
  at += before.size();
  std::uint64_t number = 0;
  const char* const begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  // Numbers with zeros in front would be two names for one thing.
  const bool padded = begin != text.data() + text.size() && *begin == '0' && end != begin + 1;
  if (error != std::errc() || end == text.data() + text.size() || *end != '.' || padded) {
    return std::nullopt;
  }
  text.replace(at, static_cast<std::size_t>(end - begin), 1, letter);
  return number;
}

NamePattern pattern_of(std::string_view stored) {
  NamePattern pattern{.text = std::string(stored)};
  replace_all(pattern.text, "language_model.", "");
  if (pattern.text.starts_with("model.")) pattern.text.erase(0, std::string_view("model.").size());
  replace_all(pattern.text, ".feed_forward.", ".mlp.");
  replace_all(pattern.text, ".block_sparse_moe.", ".mlp.");
  if (pattern.text.starts_with("layers.")) {
    pattern.layer = take_number(pattern.text, "layers.", 'N');
    pattern.expert = take_number(pattern.text, "experts.", 'E').value_or(0);
  }
  for (const std::string_view suffix : {"weight", "bias"}) {
    if (pattern.text.ends_with(fmt::format(".{}", suffix))) pattern.suffix = suffix;
  }
  return pattern;
}

/// Turns stored tensors into the model's, by a family's rules.
class Translation {
 public:
  Translation(const Family& family, const Config& config, std::uint64_t layers)
      : family_(family), config_(config), layers_(layers) {
    for (const Rule& rule : common_rules()) rules_[rule.stored] = &rule;
    for (const Rule& rule : family.rules) rules_[rule.stored] = &rule;
  }

  /// Adds what becomes of a stored tensor. Returns nothing, or what it is if the model has none.
  std::string_view add(const Stored& stored, std::size_t index, Draft& draft) const {
    constexpr std::string_view kGuesses = "for multi-token prediction (MTP)";
    if (!family_.dropped_prefix.empty() && stored.name.starts_with(family_.dropped_prefix)) {
      return kGuesses;
    }
    const NamePattern pattern = pattern_of(stored.name);
    if (pattern.layer && *pattern.layer >= layers_) {
      if (family_.extra_layers == ExtraLayers::dropped) return kGuesses;
      refuse_tensor(stored.name, fmt::format("the model has {} layers only", layers_));
    }
    const Rule* const rule = find(pattern);
    if (rule == nullptr) {
      refuse_tensor(stored.name, fmt::format("sluice does not know what it is in a {} model",
                                             family_.architecture));
    }
    if (rule->target.empty()) return "that repeat others";
    Match match{.config = config_,
                .stored = stored,
                .index = index,
                .target = target(*rule, pattern),
                .expert = pattern.expert};
    if (family_.less_one != nullptr && family_.less_one(stored.name)) {
      match.change = Change::add_one;
    }
    rule->transform(match, draft);
    return {};
  }

 private:
  const Rule* find(const NamePattern& pattern) const {
    if (const auto exact = rules_.find(pattern.text); exact != rules_.end()) return exact->second;
    if (pattern.suffix.empty()) return nullptr;
    std::string any = pattern.text;
    any.replace(any.size() - pattern.suffix.size(), any.npos, "*");
    const auto found = rules_.find(any);
    return found == rules_.end() ? nullptr : found->second;
  }

  static std::string target(const Rule& rule, const NamePattern& pattern) {
    std::string name(rule.target);
    if (pattern.layer) replace_all(name, "blk.N", fmt::format("blk.{}", *pattern.layer));
    if (name.ends_with('*')) name.replace(name.size() - 1, 1, pattern.suffix);
    return name;
  }

  const Family& family_;
  const Config& config_;
  std::uint64_t layers_;
  std::unordered_map<std::string_view, const Rule*> rules_;
};

/// `general.file_type` of what most weights are; with any in MXFP4, that of mixtures in MXFP4.
std::uint32_t file_type_of(const gguf::Header& header) {
  constexpr std::uint32_t kF32 = 0;
  constexpr std::uint32_t kF16 = 1;
  constexpr std::uint32_t kBf16 = 32;
  constexpr std::uint32_t kMxfp4 = 38;
  std::map<TensorType, std::uint64_t> elements;
  for (const gguf::Tensor& tensor : header.tensors) elements[tensor.type] += tensor.elements();
  if (elements.contains(TensorType::mxfp4)) return kMxfp4;
  const auto most = std::ranges::max_element(elements, {}, [](const auto& e) { return e.second; });
  return most->first == TensorType::f16 ? kF16 : most->first == TensorType::bf16 ? kBf16 : kF32;
}

std::uint64_t layer_count(const Family& family, const Config& config) {
  std::uint64_t layers =
      config.positive({"n_layers", "num_hidden_layers", "n_layer", "num_layers"});
  if (family.extra_layers == ExtraLayers::kept) {
    layers += config.find_whole({"num_nextn_predict_layers"}).value_or(0);
  }
  return layers;
}

/// How many tokens a vocabulary's metadata list; 0 if they do not.
std::uint64_t token_count(const std::vector<gguf::KeyValue>& tokenizer) {
  const auto tokens =
      std::ranges::find(tokenizer, std::string_view("tokenizer.ggml.tokens"), &gguf::KeyValue::key);
  if (tokens == tokenizer.end()) return 0;
  const auto array = tokens->value.as_array();
  return array ? array->count : 0;
}

Model translate(const Folder& folder, Config config, std::vector<gguf::KeyValue> tokenizer) {
  if (const std::uint64_t tokens = token_count(tokenizer);
      tokens != 0 && !config.has("vocab_size")) {
    config.set("vocab_size", tokens);
  }
  const Family& family = family_of(config);
  const std::uint64_t layers = layer_count(family, config);
  Model model;
  std::vector<Stored>& stored = model.weights.stored;
  stored = stored_tensors(folder, read_quantization(folder, config), model.skipped);
  Draft draft(stored);
  const Translation translation(family, config, layers);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const std::string_view skipped = translation.add(stored[i], i, draft);
    if (!skipped.empty()) model.skipped.push_back({stored[i].name, skipped});
  }
  gguf::Header described;
  Metadata out(described, family.architecture);
  family.describe({config, layers, out, draft});
  draft.finish(expert_count(config).value_or(0), layers, model);

  gguf::Header& header = model.header;
  header.set("general.architecture", gguf::Value::of(family.architecture));
  header.set("general.type", gguf::Value::of("model"));
  general_keys(folder, config, header);
  for (gguf::KeyValue& pair : described.metadata) header.metadata.push_back(std::move(pair));
  header.set("general.file_type", gguf::Value::of(file_type_of(header)));
  constexpr std::uint32_t kQuantizationVersion = 2;
  header.set("general.quantization_version", gguf::Value::of(kQuantizationVersion));
  for (gguf::KeyValue& pair : tokenizer) header.metadata.push_back(std::move(pair));
  return model;
}

}  // namespace

Outline outline_of(const Folder& folder) {
  const Config config = read_config(folder);
  return {std::string(family_of(config).architecture), config.find_whole({"vocab_size"})};
}

Model read_checkpoint(const Folder& folder, std::vector<gguf::KeyValue> tokenizer) {
  const Config config = read_config(folder);
  try {
    check_index(folder);
    return translate(folder, config, std::move(tokenizer));
  } catch (const Error& error) {
    if (!error.context().file.empty()) throw;
    throw Error::in_file(folder.path, error);
  }
}

}  // namespace sluice::checkpoint
