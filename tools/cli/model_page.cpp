#include "model_page.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>

#include "sluice/json.h"
#include "text.h"

namespace sluice::cli {
namespace {

/// A value in words; empty if the model does not tell.
std::string metadata_in(const nlohmann::json& model, const std::string& key) {
  const auto metadata = model.find("metadata");
  if (metadata == model.end() || !metadata->contains(key)) return "";
  const nlohmann::json& value = (*metadata)[key]["value"];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Page model_page(const Inspection& model, std::uint64_t most_elements) {
  nlohmann::json json = nlohmann::json::parse(to_json(model, most_elements));
  const std::string file = std::filesystem::path(model.files.front().path).filename().string();
  const std::string name = metadata_in(json, "general.name");
  const std::string architecture = metadata_in(json, "general.architecture");
  const auto of_architecture = [&](const char* key) {
    return metadata_in(json, architecture + "." + key);
  };
  double bytes = 0;
  for (const InspectedFile& part : model.files) bytes += static_cast<double>(part.size);
  std::string types;
  for (const auto& [type, total] : model.type_totals) {
    types += fmt::format("{}{} × {}", types.empty() ? "" : ", ", total.tensors, type);
  }
  Page page{
      .title = name.empty() ? file : name,
      .lead = {name.empty() ? "" : file + (model.files.size() > 1 ? " and its other parts" : "")},
      .figures = {{"Size",
                   {{"", bytes_text(bytes),
                     model.files.size() > 1 ? fmt::format("in {} files", model.files.size())
                                            : ""}}},
                  {"Weights",
                   {{"", count_text(static_cast<double>(model.weights)),
                     fmt::format("{:.3f} bits each", bits_of(model.data_bytes, model.weights))}}},
                  {"Tensors", {{"", fmt::format("{}", model.tensor_count), types}}}},
      .columns = {},
      .facts = {{"width", {of_architecture("embedding_length")}},
                {"context", {of_architecture("context_length")}},
                {"experts", {of_architecture("expert_count")}},
                {"licence", {metadata_in(json, "general.license")}}},
      .data = {}};
  for (std::size_t i = 0; i < model.files.size(); ++i) {
    const InspectedFile& part = model.files[i];
    const std::string size = bytes_text(static_cast<double>(part.size));
    page.facts.push_back(
        {model.files.size() > 1 ? fmt::format("part {}", i + 1) : "file",
         {part.version == 0
              ? fmt::format("{}: safetensors, {}", part.path, size)
              : fmt::format("{}: GGUF version {}, {}, data from byte {} on, aligned to {}",
                            part.path, part.version, size, part.data_offset, part.alignment)}});
  }
  if (!architecture.empty()) {
    const std::string layers = of_architecture("block_count");
    page.figures.push_back(
        {"Architecture", {{"", architecture, layers.empty() ? "" : layers + " layers"}}});
  }
  page.data = {{"page", "model"}, {"label", file}, {"model", std::move(json)}};
  return page;
}

}  // namespace sluice::cli
