#include "inspect_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string_view>

#include "console.h"
#include "metadata_text.h"
#include "name_filter.h"
#include "reports.h"
#include "sluice/error.h"
#include "sluice/inspect.h"
#include "text.h"

namespace sluice::cli {
namespace {

using Json = nlohmann::ordered_json;

struct TypeTotal {
  std::size_t tensors = 0;
  std::uint64_t weights = 0;
  std::uint64_t bytes = 0;
};

/// What of an inspection was asked for.
struct Selection {
  std::vector<const gguf::KeyValue*> metadata;
  std::vector<const InspectedTensor*> tensors;
  bool show_metadata = true;
  bool show_tensors = true;
  std::map<std::string_view, TypeTotal> types;  // of the tensors
};

std::set<TensorType> types_named(const std::vector<std::string>& names) {
  std::set<TensorType> types;
  for (const std::string& name : names) {
    const TensorTypeInfo* found = find_tensor_type(name);
    if (found == nullptr) {
      throw Error(ErrorCode::usage, "'" + name + "' is not a tensor type",
                  {.cure = "Name one as in 'iq1_m', 'q4_k' or 'f32'"});
    }
    types.insert(found->type);
  }
  return types;
}

std::uint64_t weights_of(const InspectedTensor& tensor) {
  return std::accumulate(tensor.shape.begin(), tensor.shape.end(), std::uint64_t{1},
                         std::multiplies<>());
}

// Who asks for keys alone gets no tensors, and the other way round.
Selection select(const Inspection& model, const InspectArguments& arguments) {
  const NameFilter keys(arguments.keys, arguments.regex);
  const NameFilter names(arguments.tensors, arguments.regex);
  const std::set<TensorType> types = types_named(arguments.types);
  const bool of_tensors = !names.empty() || !types.empty();
  Selection selection;
  selection.show_metadata = !keys.empty() || !of_tensors;
  selection.show_tensors = of_tensors || keys.empty();
  for (const gguf::KeyValue& pair : model.metadata) {
    if (keys.fits(pair.key)) selection.metadata.push_back(&pair);
  }
  for (const InspectedTensor& tensor : model.tensors) {
    if (!names.fits(tensor.name) || (!types.empty() && !types.contains(tensor.type))) continue;
    selection.tensors.push_back(&tensor);
    TypeTotal& total = selection.types[name(tensor.type)];
    ++total.tensors;
    total.weights += weights_of(tensor);
    total.bytes += tensor.size;
  }
  return selection;
}

Json files_json(const Inspection& model) {
  Json files = Json::array();
  for (const InspectedFile& file : model.files) {
    files.push_back({{"path", file.path},
                     {"size", file.size},
                     {"version", file.version},
                     {"alignment", file.alignment},
                     {"data_offset", file.data_offset}});
  }
  return files;
}

Json metadata_json(const Selection& selection, std::uint64_t most_elements) {
  Json metadata = Json::object();
  for (const gguf::KeyValue* pair : selection.metadata) {
    Json entry = {{"type", name(pair->value.type)}};
    if (const auto array = pair->value.as_array()) {
      entry["element"] = name(array->element);
      entry["count"] = array->count;
    }
    entry["value"] = value_json(pair->value, most_elements);
    metadata[pair->key] = std::move(entry);
  }
  return metadata;
}

Json tensors_json(const Selection& selection) {
  Json tensors = Json::array();
  for (const InspectedTensor* tensor : selection.tensors) {
    tensors.push_back({{"name", tensor->name},
                       {"shape", tensor->shape},
                       {"type", name(tensor->type)},
                       {"size", tensor->size},
                       {"file", tensor->file},
                       {"offset", tensor->offset}});
  }
  return tensors;
}

Json types_json(const Selection& selection) {
  Json types = Json::object();
  for (const auto& [type, total] : selection.types) {
    types[std::string(type)] = {
        {"tensors", total.tensors}, {"weights", total.weights}, {"bytes", total.bytes}};
  }
  return types;
}

void print_model_json(const Inspection& model, const Selection& selection,
                      std::uint64_t most_elements) {
  Json json = {{"files", files_json(model)},
               {"tensor_count", model.tensors.size()},
               {"weights", model.weights},
               {"data_bytes", model.data_bytes},
               {"bits_per_weight", bits_of(model.data_bytes, model.weights)}};
  if (selection.show_metadata) json["metadata"] = metadata_json(selection, most_elements);
  if (selection.show_tensors) {
    json["tensors"] = tensors_json(selection);
    json["types"] = types_json(selection);
  }
  print_json(json);
}

void print_files(const Inspection& model) {
  for (const InspectedFile& file : model.files) {
    fmt::print("{}: GGUF version {}, {}\n", printable(file.path), file.version,
               bytes_text(static_cast<double>(file.size)));
  }
  fmt::print("{} tensors, {} weights, {}, {:.3f} bits per weight\n", model.tensors.size(),
             count_text(static_cast<double>(model.weights)),
             bytes_text(static_cast<double>(model.data_bytes)),
             bits_of(model.data_bytes, model.weights));
}

void print_metadata(const Selection& selection, const ValueLength& length) {
  std::size_t key_width = 0;
  std::size_t type_width = 0;
  // A key of kilobytes must not push all values out of sight.
  constexpr std::size_t kWidest = 48;
  for (const gguf::KeyValue* pair : selection.metadata) {
    key_width = std::max(key_width, std::min(kWidest, printable(pair->key).size()));
    type_width = std::max(type_width, value_type_text(pair->value).size());
  }
  fmt::print("\n");
  for (const gguf::KeyValue* pair : selection.metadata) {
    fmt::print("{:<{}}  {:<{}}  {}\n", printable(pair->key), key_width,
               value_type_text(pair->value), type_width, value_text(pair->value, length));
  }
}

void print_tensors(const Inspection& model, const Selection& selection) {
  std::size_t name_width = 4;
  std::size_t shape_width = 5;
  for (const InspectedTensor* tensor : selection.tensors) {
    name_width = std::max(name_width, printable(tensor->name).size());
    shape_width = std::max(shape_width, shape_text(tensor->shape).size());
  }
  const bool split = model.files.size() > 1;
  fmt::print("\n{:<{}}  {:>{}}  {:<7}  {:>14}  {:>14}{}\n", "name", name_width, "shape",
             shape_width, "type", "size", "offset", split ? "  part" : "");
  for (const InspectedTensor* tensor : selection.tensors) {
    fmt::print("{:<{}}  {:>{}}  {:<7}  {:>14}  {:>14}{}\n", printable(tensor->name), name_width,
               shape_text(tensor->shape), shape_width, name(tensor->type), tensor->size,
               tensor->offset, split ? fmt::format("  {:>4}", tensor->file + 1) : "");
  }
  fmt::print("\n");
  for (const auto& [type, total] : selection.types) {
    fmt::print("{:<7}  {:>5} tensors  {:>10}  {:>8} weights\n", type, total.tensors,
               bytes_text(static_cast<double>(total.bytes)),
               count_text(static_cast<double>(total.weights)));
  }
}

}  // namespace

void run_inspect(const InspectArguments& arguments) {
  const Inspection model = inspect(arguments.file);
  const Selection selection = select(model, arguments);
  if (!arguments.keys.empty() && selection.metadata.empty()) {
    console::note("no metadata fits --key");
  }
  const bool by_name = !arguments.tensors.empty();
  const bool by_type = !arguments.types.empty();
  if ((by_name || by_type) && selection.tensors.empty()) {
    console::note(fmt::format("no tensor fits {}{}{}", by_name ? "--tensor" : "",
                              by_name && by_type ? " and " : "", by_type ? "--type" : ""));
  }
  ValueLength length;
  if (arguments.full) {
    length.elements = std::numeric_limits<std::uint64_t>::max();
    length.characters = std::numeric_limits<std::size_t>::max();
  }
  if (arguments.json) {
    print_model_json(model, selection, length.elements);
    return;
  }
  print_files(model);
  if (selection.show_metadata) print_metadata(selection, length);
  if (selection.show_tensors) print_tensors(model, selection);
}

}  // namespace sluice::cli
