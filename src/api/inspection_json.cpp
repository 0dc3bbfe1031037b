#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>

#include "api/json_document.h"
#include "sluice/json.h"

// Keys in the order in which they are documented.

namespace sluice {
namespace {

// Floats with as few digits as they read back to the same number of their own type, and as texts
// where they are no numbers.
void add_float(JsonText& json, const gguf::Value& value, double number) {
  const std::string text = value.type == gguf::ValueType::f32
                               ? fmt::format("{}", static_cast<float>(number))
                               : fmt::format("{}", number);
  std::isfinite(number) ? json.value(std::stod(text)) : json.value(text);
}

void add_value(JsonText& json, const gguf::Value& value, std::uint64_t most_elements) {
  if (value.as_array()) {
    json.array([&] {
      for (const gguf::Value& element : value.elements(most_elements)) {
        add_value(json, element, most_elements);
      }
    });
  } else if (const auto text = value.as_string()) {
    json.value(*text);
  } else if (const auto number = value.as_uint()) {
    json.value(*number);
  } else if (const auto integer = value.as_int()) {
    json.value(*integer);
  } else if (const auto real = value.as_float()) {
    add_float(json, value, *real);
  } else {
    json.value(value.as_bool().value_or(false));
  }
}

void add_metadata(JsonText& json, const std::vector<gguf::KeyValue>& metadata,
                  std::uint64_t most_elements) {
  for (const gguf::KeyValue& pair : metadata) {
    json.object(pair.key, [&] {
      json.field("type", name(pair.value.type));
      if (const auto array = pair.value.as_array()) {
        json.field("element", name(array->element));
        json.field("count", array->count);
      }
      json.key("value");
      add_value(json, pair.value, most_elements);
    });
  }
}

void add_inspected(JsonText& json, const std::vector<InspectedTensor>& tensors) {
  json.objects("tensors", tensors, [&](const InspectedTensor& tensor) {
    json.field("name", tensor.name);
    json.field("shape", tensor.shape);
    json.field("type", name(tensor.type));
    if (!tensor.stored_as.empty()) json.field("stored_as", tensor.stored_as);
    json.field("size", tensor.size);
    if (!tensor.size_known()) json.field("size_known", false);
    json.field("file", tensor.file);
    json.field("offset", tensor.offset);
  });
}

void add_types(JsonText& json, const std::map<std::string_view, TypeTotal>& types) {
  json.object("types", [&] {
    for (const auto& [type, total] : types) {
      json.object(type, [&, &total = total] {
        json.field("tensors", total.tensors);
        json.field("weights", total.weights);
        json.field("bytes", total.bytes);
      });
    }
  });
}

}  // namespace

std::string to_json(const Inspection& model, std::uint64_t most_elements) {
  return document([&](JsonText& json) {
    json.objects("files", model.files, [&](const InspectedFile& file) {
      json.field("path", file.path);
      json.field("size", file.size);
      json.field("format", file.version == 0 ? "safetensors" : "GGUF");
      if (file.version == 0) return;
      json.field("version", file.version);
      json.field("alignment", file.alignment);
      json.field("data_offset", file.data_offset);
    });
    json.field("notes", model.notes);
    json.field("tensor_count", model.tensor_count);
    json.field("weights", model.weights);
    json.field("data_bytes", model.data_bytes);
    json.field("bits_per_weight", bits_of(model.data_bytes, model.weights));
    if (model.tells_metadata) {
      json.object("metadata", [&] { add_metadata(json, model.metadata, most_elements); });
    }
    if (model.tells_tensors) {
      add_inspected(json, model.tensors);
      add_types(json, model.type_totals);
    }
  });
}

}  // namespace sluice
