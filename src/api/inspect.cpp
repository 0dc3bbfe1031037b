#include "sluice/inspect.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "api/model_files.h"
#include "base/pattern.h"
#include "base/text.h"
#include "gguf/llama_cpp_demands.h"

namespace sluice {
namespace {

/// Fits any of its patterns; everything if there are none.
class NameFilter {
 public:
  NameFilter(const std::vector<std::string>& patterns, bool regular_expressions) {
    if (!regular_expressions) {
      globs_ = patterns;
    } else {
      for (const std::string& pattern : patterns) expressions_.emplace_back(pattern);
    }
  }

  bool empty() const { return globs_.empty() && expressions_.empty(); }

  bool fits(const std::string& name) const {
    const auto globbed = [&](const std::string& glob) {
      return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0;
    };
    const auto found = [&](const Pattern& pattern) { return pattern.found_in(name); };
    return empty() || std::ranges::any_of(globs_, globbed) ||
           std::ranges::any_of(expressions_, found);
  }

 private:
  std::vector<std::string> globs_;
  std::vector<Pattern> expressions_;
};

// Why llama.cpp would not load a file.
void add_objections(const gguf::Part& part, std::vector<std::string>& notes) {
  const std::string file = printable(part.file);
  for (const gguf::MistypedValue& wrong : gguf::mistyped_values(part.header)) {
    notes.push_back(fmt::format("{}: {} is of the type {}, where llama.cpp demands {}", file,
                                printable(wrong.key), name(wrong.found), name(wrong.wanted)));
  }
  for (const auto& told : {gguf::long_names(part.header), gguf::foreign_types(part.header)}) {
    if (told) notes.push_back(fmt::format("{}: {}", file, *told));
  }
}

}  // namespace

Inspection inspect(const std::string& path, const InspectionFilter& filter) {
  const NameFilter keys(filter.keys, filter.regular_expressions);
  const NameFilter names(filter.tensors, filter.regular_expressions);
  const bool of_tensors = !names.empty() || !filter.types.empty();
  ModelFiles model = open_model(path);
  Inspection inspection;
  for (const gguf::Part& part : model.headers) add_objections(part, inspection.notes);
  inspection.tells_metadata = !keys.empty() || !of_tensors;
  inspection.tells_tensors = of_tensors || keys.empty();
  for (std::string& note : model.notes) inspection.notes.push_back(std::move(note));
  for (std::size_t i = 0; i < model.parts.size(); ++i) {
    InspectedFile& file = inspection.files.emplace_back(
        InspectedFile{.path = model.parts[i].path(), .size = model.states[i].size, .version = 0});
    if (model.published) continue;
    const gguf::Header& header = model.headers[i].header;
    file.version = header.version;
    file.alignment = header.alignment;
    file.data_offset = header.data_offset;
  }
  for (gguf::KeyValue& pair : model.model.metadata) {
    const bool told = inspection.tells_metadata && keys.fits(pair.key);
    if (told) inspection.metadata.push_back(std::move(pair));
  }
  inspection.tensor_count = model.model.tensors.size();
  for (std::size_t i = 0; i < model.model.tensors.size(); ++i) {
    gguf::Tensor& tensor = model.model.tensors[i];
    inspection.weights += tensor.elements();
    const weights::Source& source = model.weights.sources[i];
    if (model.published) tensor.size = stored_bytes(model.weights, source);
    inspection.data_bytes += tensor.size;
    const bool of_type = filter.types.empty() || std::ranges::count(filter.types, tensor.type) > 0;
    if (!inspection.tells_tensors || !of_type || !names.fits(tensor.name)) continue;
    TypeTotal& total = inspection.type_totals[name(tensor.type)];
    ++total.tensors;
    total.weights += tensor.elements();
    total.bytes += tensor.size;
    const weights::Place place = place_of(model.weights, i);
    inspection.tensors.push_back(
        {.name = std::move(tensor.name),
         .shape = std::move(tensor.shape),
         .type = tensor.type,
         .stored_as = model.published ? stored_as(model.weights, source) : "",
         .size = tensor.size,
         .file = place.part,
         .offset = place.offset});
  }
  return inspection;
}

}  // namespace sluice
