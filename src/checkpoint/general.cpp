#include "checkpoint/general.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"
#include "checkpoint/model_card.h"
#include "checkpoint/model_name.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

enum class SamplingType { whole, real };

struct SamplingKey {
  std::string_view stored;
  std::string_view key;
  SamplingType type;
};

constexpr std::array kSamplingKeys = {
    SamplingKey{"top_k", "top_k", SamplingType::whole},
    SamplingKey{"top_p", "top_p", SamplingType::real},
    SamplingKey{"min_p", "min_p", SamplingType::real},
    SamplingKey{"xtc_probability", "xtc_probability", SamplingType::real},
    SamplingKey{"xtc_threshold", "xtc_threshold", SamplingType::real},
    SamplingKey{"temperature", "temp", SamplingType::real},
    SamplingKey{"penalty_last_n", "penalty_last_n", SamplingType::whole},
    SamplingKey{"penalty_repeat", "penalty_repeat", SamplingType::real},
    SamplingKey{"mirostat", "mirostat", SamplingType::whole},
    SamplingKey{"mirostat_tau", "mirostat_tau", SamplingType::real},
    SamplingKey{"mirostat_eta", "mirostat_eta", SamplingType::real},
};

void sampling_keys(const Folder& folder, gguf::Header& header) {
  constexpr std::string_view kFile = "generation_config.json";
  const std::string* const text = folder.text(kFile);
  if (text == nullptr) return;
  const std::string file = folder.file(kFile);
  const Config config(file, parse_json_object(*text, file));
  for (const SamplingKey& sampling : kSamplingKeys) {
    const std::optional<double> number = config.find_number({sampling.stored});
    if (!number) continue;
    const std::string key = fmt::format("general.sampling.{}", sampling.key);
    if (sampling.type == SamplingType::real) {
      header.set(key, gguf::Value::of(static_cast<float>(*number)));
    } else if (*number >= -1 && *number < 2147483648.0) {
      header.set(key, gguf::Value::of(static_cast<std::int32_t>(*number)));
    }
  }
}

struct Parameters {
  std::uint64_t all = 0;
  std::uint64_t shared = 0;
  std::uint64_t expert = 0;   ///< of one expert in all layers
  std::uint64_t experts = 0;  ///< of a layer
};

Parameters count_parameters(const gguf::Header& header) {
  Parameters count;
  std::uint64_t stacks = 0;
  for (const gguf::Tensor& tensor : header.tensors) {
    const std::uint64_t elements = tensor.elements();
    count.all += elements;
    if (tensor.name.find("_exps.") == tensor.name.npos) {
      count.shared += elements;
    } else {
      count.expert += elements / tensor.shape.back();
      count.experts += tensor.shape.back();
      ++stacks;
    }
  }
  if (stacks != 0) count.experts /= stacks;
  return count;
}

/// Writes texts that are there, of which the first that is written stays.
class GeneralKeys {
 public:
  explicit GeneralKeys(gguf::Header& header) : header_(header) {}

  void text(std::string_view key, const std::string& value) {
    const std::string name = fmt::format("general.{}", key);
    if (value.empty() || !is_plain_utf8(value) || header_.find(name) != nullptr) return;
    header_.set(name, gguf::Value::of(std::string_view(value)));
  }
  void texts(std::string_view key, std::span<const std::string> values) {
    if (!values.empty()) {
      header_.set(fmt::format("general.{}", key), gguf::Value::of_strings(values));
    }
  }
  void count(std::string_view key, std::size_t number) {
    header_.set(fmt::format("general.{}", key),
                gguf::Value::of(static_cast<std::uint32_t>(number)));
  }

 private:
  gguf::Header& header_;
};

/// Values of several keys, one after the other.
std::vector<std::string> gathered(const ModelCard& card, Keys keys) {
  std::vector<std::string> all;
  for (const std::string_view key : keys) {
    const auto found = card.find(std::string(key));
    if (found != card.end()) all.insert(all.end(), found->second.begin(), found->second.end());
  }
  return all;
}

/// Values of the first of the keys that is there.
std::vector<std::string> first_of(const ModelCard& card, Keys keys) {
  for (const std::string_view key : keys) {
    if (const auto found = card.find(std::string(key)); found != card.end()) return found->second;
  }
  return {};
}

/// What the model was made from, each by its name on the hub or its address.
void origin_keys(GeneralKeys& out, std::string_view kind, const std::vector<std::string>& origins,
                 std::uint64_t parameters) {
  constexpr std::string_view kHub = "https://huggingface.co/";
  if (origins.empty()) return;
  out.count(fmt::format("{}.count", kind), origins.size());
  for (std::size_t i = 0; i < origins.size(); ++i) {
    const std::string key = fmt::format("{}.{}.", kind, i);
    std::string_view id = origins[i];
    const bool is_address = id.find("://") != id.npos;
    if (is_address) {
      out.text(key + "repo_url", origins[i]);
      if (id.starts_with(kHub)) id.remove_prefix(kHub.size());
      if (std::ranges::count(id, '/') != 1) continue;
    }
    const ModelName name = parse_model_name(id, parameters);
    out.text(key + "name", title_of(name.name));
    out.text(key + "organization", title_of(name.organization));
    out.text(key + "version", name.version);
    if (!is_address && !name.organization.empty()) {
      out.text(key + "repo_url", fmt::format("{}{}/{}", kHub, name.organization, name.name));
    }
  }
}

void card_keys(GeneralKeys& out, const ModelCard& card, std::uint64_t parameters) {
  const auto text = [&](std::string_view key, Keys stored) {
    const std::vector<std::string> values = first_of(card, stored);
    if (!values.empty()) out.text(key, values.front());
  };
  text("name", {"name", "model_name"});
  text("author", {"author", "model_author", "model_creator"});
  text("version", {"version", "model_version"});
  text("organization", {"organization", "model_organization"});
  text("description", {"description", "model_description"});
  text("finetune", {"finetune", "model_finetune"});
  text("basename", {"basename", "model_basename", "model_type"});
  text("size_label", {"size_label", "model_size_label"});
  text("license.name", {"license_name"});
  text("license.link", {"license_link"});
  out.text("license", fmt::format("{}", fmt::join(first_of(card, {"license"}), ",")));
  origin_keys(out, "base_model",
              first_of(card, {"base_model", "base_models", "base_model_sources"}), parameters);
  origin_keys(out, "dataset", first_of(card, {"datasets", "dataset", "dataset_sources"}),
              parameters);
  out.texts("tags", gathered(card, {"tags", "pipeline_tag"}));
  out.texts("languages", gathered(card, {"languages", "language"}));
}

void name_keys(GeneralKeys& out, std::string_view id, std::uint64_t parameters) {
  const ModelName name = parse_model_name(id, parameters);
  out.text("name", title_of(name.name));
  out.text("organization", title_of(name.organization));
  out.text("basename", name.basename);
  out.text("finetune", name.finetune);
  out.text("version", name.version);
  out.text("size_label", name.size_label);
}

}  // namespace

void general_keys(const Folder& folder, const Config& config, gguf::Header& header) {
  sampling_keys(folder, header);
  const Parameters count = count_parameters(header);
  GeneralKeys out(header);
  if (const std::string* const readme = folder.text("README.md")) {
    card_keys(out, parse_model_card(*readme), count.all);
  }
  const std::string id = config.find_text({"_name_or_path"}).value_or("");
  // More than one slash makes it a path on somebody's machine.
  if (!id.empty() && std::ranges::count(id, '/') <= 1) name_keys(out, id, count.all);
  name_keys(out, folder.model_name, count.all);
  out.text("size_label", count.experts == 0
                             ? size_label(count.all, 0, 0)
                             : size_label(count.shared, count.expert, count.experts));
}

}  // namespace sluice::checkpoint
