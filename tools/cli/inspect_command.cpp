#include "inspect_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "console.h"
#include "html_page.h"
#include "metadata_text.h"
#include "model_page.h"
#include "reports.h"
#include "sluice/amounts.h"
#include "sluice/error.h"
#include "sluice/inspect.h"
#include "sluice/json.h"
#include "text.h"

namespace sluice::cli {
namespace {

std::vector<TensorType> types_named(const std::vector<std::string>& names) {
  std::vector<TensorType> types;
  for (const std::string& name : names) {
    const TensorTypeInfo* found = find_tensor_type(name);
    if (found == nullptr) {
      throw Error(ErrorCode::usage, "'" + name + "' is not a tensor type",
                  {.cure = "Name one as in 'iq1_m', 'q4_k' or 'f32'"});
    }
    types.push_back(found->type);
  }
  return types;
}

void print_files(const Inspection& model) {
  for (const InspectedFile& file : model.files) {
    fmt::print("{}: {}, {}\n", printable(file.path),
               file.version == 0 ? "safetensors" : fmt::format("GGUF version {}", file.version),
               bytes_text(static_cast<double>(file.size)));
  }
  fmt::print("{}, {} weights, {}, {:.3f} bits per weight\n", counted(model.tensor_count, "tensor"),
             count_text(static_cast<double>(model.weights)),
             bytes_text(static_cast<double>(model.data_bytes)),
             bits_of(model.data_bytes, model.weights));
}

void print_metadata(const Inspection& model, const ValueLength& length) {
  std::size_t key_width = 0;
  std::size_t type_width = 0;
  // A key of kilobytes must not push all values out of sight.
  constexpr std::size_t kWidest = 48;
  for (const gguf::KeyValue& pair : model.metadata) {
    key_width = std::max(key_width, std::min(kWidest, printable(pair.key).size()));
    type_width = std::max(type_width, value_type_text(pair.value).size());
  }
  fmt::print("\n");
  for (const gguf::KeyValue& pair : model.metadata) {
    fmt::print("{:<{}}  {:<{}}  {}\n", printable(pair.key), key_width, value_type_text(pair.value),
               type_width, value_text(pair.value, length));
  }
}

void print_tensors(const Inspection& model) {
  std::size_t name_width = 4;
  std::size_t shape_width = 5;
  std::size_t type_width = 7;
  for (const InspectedTensor& tensor : model.tensors) {
    name_width = std::max(name_width, printable(tensor.name).size());
    shape_width = std::max(shape_width, shape_text(tensor.shape).size());
    type_width = std::max(type_width, tensor.stored_as.size());
  }
  const bool split = model.files.size() > 1;
  fmt::print("\n{:<{}}  {:>{}}  {:<{}}  {:>14}  {:>14}{}\n", "name", name_width, "shape",
             shape_width, "type", type_width, "size", "offset", split ? "  part" : "");
  for (const InspectedTensor& tensor : model.tensors) {
    fmt::print("{:<{}}  {:>{}}  {:<{}}  {:>14}  {:>14}{}\n", printable(tensor.name), name_width,
               shape_text(tensor.shape), shape_width,
               tensor.stored_as.empty() ? name(tensor.type) : tensor.stored_as, type_width,
               fmt::format("{}{}", tensor.size_known() ? "" : "<= ", tensor.size), tensor.offset,
               split ? fmt::format("  {:>4}", tensor.file + 1) : "");
  }
  fmt::print("\n");
  for (const auto& [type, total] : model.type_totals) {
    fmt::print("{:<7}  {:>13}  {:>10}  {:>8} weights\n", type, counted(total.tensors, "tensor"),
               bytes_text(static_cast<double>(total.bytes)),
               count_text(static_cast<double>(total.weights)));
  }
}

}  // namespace

void run_inspect(const InspectArguments& arguments) {
  const Inspection model = inspect(arguments.file, {.keys = arguments.keys,
                                                    .tensors = arguments.tensors,
                                                    .types = types_named(arguments.types),
                                                    .regular_expressions = arguments.regex});
  if (!arguments.keys.empty() && model.metadata.empty()) {
    console::note("no metadata fits --key");
  }
  const bool by_name = !arguments.tensors.empty();
  const bool by_type = !arguments.types.empty();
  if ((by_name || by_type) && model.tensors.empty()) {
    console::note(fmt::format("no tensor fits {}{}{}", by_name ? "--tensor" : "",
                              by_name && by_type ? " and " : "", by_type ? "--type" : ""));
  }
  for (const std::string& note : model.notes) console::note(note);
  ValueLength length;
  if (arguments.full) {
    length.elements = std::numeric_limits<std::uint64_t>::max();
    length.characters = std::numeric_limits<std::size_t>::max();
  }
  if (!arguments.page.empty()) {
    write_page(model_page(model, length.elements), arguments.page);
    console::result(printable(arguments.page) + "\n");
    return;
  }
  if (arguments.json) {
    print_json(to_json(model, length.elements));
    return;
  }
  print_files(model);
  if (model.tells_metadata) print_metadata(model, length);
  if (model.tells_tensors) print_tensors(model);
}

}  // namespace sluice::cli
