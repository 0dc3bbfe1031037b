#include "plan/plan.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <numeric>

#include "base/checked.h"
#include "base/text.h"
#include "plan/importance.h"
#include "plan/input.h"
#include "plan/output_metadata.h"
#include "plan/prune.h"
#include "plan/substitution.h"
#include "plan/unmultiplied.h"
#include "recipe/bias_correction.h"
#include "sluice/codec.h"
#include "sluice/error.h"

namespace sluice {
namespace {

void check_source(const PlannedTensor& tensor, bool allow_requantize, const std::string& file) {
  if (tensor.unchanged) return;
  const Codec* from = find_codec(tensor.source);
  if (from == nullptr || from->decode == nullptr) {
    throw Error(ErrorCode::input_type,
                fmt::format("type {} cannot be decoded", name(tensor.source)),
                {.file = file,
                 .tensor = tensor.name,
                 .cure = "Convert the model from a 16-bit checkpoint"});
  }
  // As strict as the peers: of Q8_0 too, whose errors are small but not nothing.
  if (info(tensor.source).block_elements > 1 && !allow_requantize) {
    throw Error(ErrorCode::input_type,
                fmt::format("is already quantized ({}), and quantizing again adds error to error",
                            name(tensor.source)),
                {.file = file,
                 .tensor = tensor.name,
                 .cure = "Start from a 16-bit checkpoint, or pass --allow-requantize"});
  }
  const Codec* to = find_codec(tensor.type);
  if (to == nullptr || to->encode == nullptr) {
    throw Error(ErrorCode::usage,
                fmt::format("would become {} ({}), for which there is no encoder",
                            name(tensor.type), tensor.rule),
                {.tensor = tensor.name,
                 .cure = "Choose another file type, or give it another type with --tensor-type"});
  }
}

// The recipe knows the model's metadata but not its file.
ChosenTypes choices_for(const PlanRequest& request, const gguf::Header& model, bool published,
                        const std::string& file) {
  try {
    return choose_types(
        request.recipe, model,
        {.has_imatrix = request.imatrix != nullptr || request.calibration.has_value(),
         .in_file_order = request.split.keep,
         .published = published});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::usage) throw;
    throw Error::in_file(file, error);
  }
}

// Decides where in which file every byte goes.
void place_tensors(const SplitOptions& split, gguf::Header& output, Plan& plan) {
  std::vector<std::size_t> input_parts;
  for (const PlannedTensor& tensor : plan.tensors) input_parts.push_back(tensor.input_part);
  plan.parts = lay_out_parts(output, split, input_parts);
  for (std::size_t no = 0; no < plan.parts.size(); ++no) {
    const OutputPart& part = plan.parts[no];
    for (std::size_t i = part.first_tensor; i < part.first_tensor + part.tensors; ++i) {
      const gguf::Tensor& placed = output.tensors[i];
      PlannedTensor& tensor = plan.tensors[i];
      tensor.output_part = no;
      tensor.output_offset = part.begin + part.header.size() + placed.offset;
      tensor.output_size = placed.size;
      tensor.output_padding = align_up(placed.size, output.alignment) - placed.size;
    }
    plan.output_size += part.size;
  }
}

}  // namespace

std::uint64_t PlannedTensor::elements() const {
  return std::accumulate(shape.begin(), shape.end(), std::uint64_t{1}, std::multiplies<>());
}

std::uint64_t PlannedTensor::experts() const {
  return elements() / (row_elements() * rows_per_expert());
}

std::uint64_t hash_of(const Plan& plan) {
  // The headers hold names, shapes, types, places and metadata; what is left is where from.
  std::vector<std::uint64_t> numbers;
  for (const OutputPart& part : plan.parts) {
    numbers.insert(numbers.end(),
                   {XXH3_64bits(part.header.data(), part.header.size()), part.begin, part.size});
  }
  for (const PlannedTensor& tensor : plan.tensors) {
    numbers.insert(
        numbers.end(),
        {static_cast<std::uint64_t>(tensor.source), tensor.source_hash, tensor.output_offset,
         tensor.importance == nullptr ? std::uint64_t{0} : 1 + tensor.importance->values_offset});
  }
  return XXH3_64bits(numbers.data(), numbers.size() * sizeof(std::uint64_t));
}

Plan make_plan(const PlanRequest& request, const gguf::Header& model,
               const weights::Weights& weights, bool published, const std::string& file) {
  gguf::Header output;
  output.alignment = model.alignment;
  output.metadata = model.metadata;
  output.tensors = model.tensors;
  set_metadata(request.edits, output);
  const std::vector<std::size_t> kept = prune_tensors(request.edits.pruned_layers, output);
  ChosenTypes chosen = choices_for(request, output, published, file);
  const std::vector<TypeChoice>& choices = chosen.tensors;
  refuse_matrix(output, *request.recipe.file_type, file);
  prune_metadata(request.edits.pruned_layers, output);
  Plan plan;
  plan.notes = std::move(chosen.notes);
  describe_output(request, choices, file, output, plan.notes);
  const std::vector<float> corrections = recipe::bias_corrections(output.tensors);

  plan.tensors.resize(output.tensors.size());
  for (std::size_t i = 0; i < output.tensors.size(); ++i) {
    const gguf::Tensor& from = output.tensors[i];
    PlannedTensor& tensor = plan.tensors[i];
    tensor.name = from.name;
    tensor.shape = from.shape;
    tensor.source = from.type;
    tensor.type = choices[i].type;
    tensor.asked = choices[i].asked;
    tensor.rule = choices[i].rule;
    tensor.decider = choices[i].decider;
    tensor.bias_correction = corrections[i];
    tensor.model_tensor = kept[i];
    const weights::Source& source = weights.sources[kept[i]];
    describe_input(weights, source, tensor);
    output.tensors[i].type = tensor.type;
    check_source(tensor, published || request.allow_requantize, file);
    plan.wanted.push_back(wanted_of(tensor, source));
  }
  plan.weights = &weights;
  measure_bands(plan);
  plan.substituted = substitution_text(plan);
  if (!plan.substituted.empty()) plan.notes.push_back(plan.substituted);
  const std::string unmultiplied = unmultiplied_text(plan);
  if (!unmultiplied.empty()) plan.notes.push_back(unmultiplied);
  assign_importance(request.imatrix, choices, model, kept, plan);

  place_tensors(request.split, output, plan);
  return plan;
}

}  // namespace sluice
