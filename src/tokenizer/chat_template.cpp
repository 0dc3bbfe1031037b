#include "tokenizer/chat_template.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace sluice::tokenizer {
namespace {

constexpr const char* kConfigFile = "tokenizer_config.json";
constexpr const char* kJinjaFile = "chat_template.jinja";
constexpr const char* kJsonFile = "chat_template.json";
constexpr std::string_view kMoreBegin = "additional_chat_templates/";
constexpr std::string_view kMoreEnd = ".jinja";

constexpr const char* kKey = "tokenizer.chat_template";

std::string template_file(const Files& files, std::string_view name) {
  const std::string_view text = *files.find(name);
  if (!is_plain_utf8(text)) fail(files.path(name), "the chat template is not UTF-8 text");
  return std::string(text);
}

/// The templates where they stand first, in tokenizer_config.json's form: a text, or a list of
/// {name, template}.
Json find_templates(const Files& files, const Json& tokenizer_config) {
  const Json& own = at_key(tokenizer_config, "chat_template");
  if (!own.is_null()) return own;
  if (files.find(kJinjaFile)) {
    Json list = {{{"name", "default"}, {"template", template_file(files, kJinjaFile)}}};
    for (const auto& [name, text] : files.texts) {
      if (!is_additional_template(name)) continue;
      const std::size_t size = name.size() - kMoreBegin.size() - kMoreEnd.size();
      list.push_back({{"name", name.substr(kMoreBegin.size(), size)},
                      {"template", template_file(files, name)}});
    }
    return list;
  }
  const auto text = files.find(kJsonFile);
  return text ? at_key(parse_json(*text, files.path(kJsonFile)), "chat_template") : Json();
}

/// A name as it can be a part of a key.
std::string key_part(std::string_view name) {
  std::string part;
  while (!name.empty()) {
    const char c = name.front();
    const bool is_plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    part += is_plain ? c : '_';
    name.remove_prefix(first_character(name).bytes);
  }
  return part;
}

}  // namespace

bool is_additional_template(std::string_view name) {
  return name.starts_with(kMoreBegin) && name.ends_with(kMoreEnd) &&
         name.size() > kMoreBegin.size() + kMoreEnd.size();
}

void set_chat_templates(Source& source, gguf::Header& metadata) {
  if (source.tokenizer_config.is_null()) return;
  const Json templates = find_templates(source.files, source.tokenizer_config);
  if (const std::optional<std::string> text = as_text(templates)) {
    metadata.set(kKey, gguf::Value::of(*text));
    return;
  }
  if (!templates.is_null() && !templates.is_array()) {
    source.notes.push_back(fmt::format("The chat_template of {} is left out: it is no text.",
                                       source.files.path(kConfigFile)));
    return;
  }
  std::vector<std::string> names;
  std::optional<std::string> ours;
  for (const Json& element : templates) {
    const std::string name = key_part(as_text(at_key(element, "name")).value_or(""));
    const std::optional<std::string> text = as_text(at_key(element, "template"));
    if (name.empty() || !text) continue;
    if (name == "default") {
      ours = text;
    } else if (std::find(names.begin(), names.end(), name) != names.end()) {
      source.notes.push_back(
          fmt::format("A chat template is left out: another one is named {} too.", name));
    } else {
      names.push_back(name);
      metadata.set(fmt::format("{}.{}", kKey, name), gguf::Value::of(*text));
    }
  }
  if (!names.empty()) metadata.set("tokenizer.chat_templates", gguf::Value::of_strings(names));
  if (ours) metadata.set(kKey, gguf::Value::of(*ours));
}

}  // namespace sluice::tokenizer
