#include "plan/output_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "gguf/llama_cpp_demands.h"
#include "sluice/error.h"
#include "sluice/version.h"

namespace sluice {
namespace {

void describe_matrix(const ImportanceMatrix& imatrix, bool hidden, gguf::Header& header) {
  // What an earlier quantization told of its own matrix.
  std::erase_if(header.metadata,
                [](const gguf::KeyValue& kv) { return kv.key.starts_with("quantize.imatrix."); });
  constexpr std::string_view kHidden = "top_secret";  // ik_llama.cpp's word
  const auto text = [&](const std::string& value) {
    return gguf::Value::of(hidden ? kHidden : std::string_view(value));
  };
  const auto number = [&](std::uint64_t value) {
    return gguf::Value::of(hidden ? 0 : static_cast<std::int32_t>(value));
  };
  // Its folder, often with a user's name in it, is nobody's business and makes equal runs differ.
  header.set("quantize.imatrix.file",
             text(std::filesystem::path(imatrix.file()).filename().string()));
  if (!imatrix.dataset().empty()) header.set("quantize.imatrix.dataset", text(imatrix.dataset()));
  header.set("quantize.imatrix.entries_count", number(imatrix.size()));
  if (imatrix.chunks() > 0) header.set("quantize.imatrix.chunks_count", number(imatrix.chunks()));
}

void describe_calibration(const PlanRequest& request, gguf::Header& header) {
  if (!request.calibration || request.hide_imatrix) return;
  const CalibrationFacts& facts = *request.calibration;
  const auto number = [](std::uint64_t value) {
    return gguf::Value::of(static_cast<std::uint32_t>(value));
  };
  header.set("sluice.calibration.files", gguf::Value::of(facts.files));
  header.set("sluice.calibration.tokens", number(facts.tokens));
  header.set("sluice.calibration.sequence_length", number(facts.sequence_length));
}

// Whether the output is of the file type at all: of a model that is all vectors, say, nothing is.
bool becomes(const FileType& file_type, std::span<const TypeChoice> choices) {
  return std::ranges::any_of(choices, [&](const TypeChoice& choice) {
    return choice.decider != Decider::kept || choice.type == file_type.type;
  });
}

// A file type without blocks that leaves published blocks of MXFP4 as they are is llama.cpp's
// MXFP4_MOE.
std::uint32_t number_of(const FileType& file_type, std::span<const TypeChoice> choices) {
  constexpr std::uint32_t kMxfp4Moe = 38;
  const bool blocks = std::ranges::any_of(
      choices, [](const TypeChoice& choice) { return choice.type == TensorType::mxfp4; });
  return blocks && info(file_type.type).block_elements == 1 ? kMxfp4Moe : file_type.number;
}

std::string unconverted(const FileType& file_type, bool has_tensors) {
  if (!has_tensors) return "the model has no tensors: the output is a copy of its metadata";
  return fmt::format(
      "nothing becomes {}: every tensor is of a kind that is kept as it is, and general.file_type "
      "stays what it was",
      file_type.name);
}

void mend_types(const std::string& file, gguf::Header& header, std::vector<std::string>& notes) {
  for (gguf::MistypedValue& wrong : gguf::mistyped_values(header)) {
    if (!wrong.right) {
      throw Error(ErrorCode::input_format,
                  fmt::format("the metadata's {} is of the type {} and cannot be the {} that "
                              "llama.cpp demands",
                              wrong.key, name(wrong.found), name(wrong.wanted)),
                  {.file = file,
                   .cure = fmt::format(
                       "Set it with --override-kv {}={}", wrong.key,
                       wrong.wanted == gguf::ValueType::string ? "str:TEXT" : "int:NUMBER")});
    }
    header.set(wrong.key, *std::move(wrong.right));
    notes.push_back(
        fmt::format("{} is of the type {} in the model, and {} in the output, as llama.cpp demands",
                    printable(wrong.key), name(wrong.found), name(wrong.wanted)));
  }
}

}  // namespace

void set_metadata(const ModelEdits& edits, gguf::Header& header) {
  for (const gguf::KeyValue& kv : edits.metadata) header.set(kv.key, kv.value);
}

void refuse_matrix(const gguf::Header& model, const FileType& file_type, const std::string& file) {
  const gguf::Value* sort = model.find("general.type");
  if (file_type.copy || sort == nullptr || sort->as_string() != "imatrix") return;
  throw Error(ErrorCode::input_format, "is an importance matrix, not a model",
              {.file = file, .cure = "Name the model, and give the matrix with --imatrix"});
}

void describe_output(const PlanRequest& request, std::span<const TypeChoice> choices,
                     const std::string& file, gguf::Header& header,
                     std::vector<std::string>& notes) {
  header.set("general.quantization_version", gguf::Value::of(std::uint32_t{2}));
  const FileType& file_type = *request.recipe.file_type;
  if (!file_type.copy) {
    if (becomes(file_type, choices)) {
      header.set("general.file_type", gguf::Value::of(number_of(file_type, choices)));
    } else {
      notes.push_back(unconverted(file_type, !choices.empty()));
    }
  }
  header.set("sluice.version", gguf::Value::of(version()));
  header.set("sluice.effort", gguf::Value::of(name(request.effort)));
  set_metadata(request.edits, header);  // the user's word against the source's and ours
  if (request.imatrix != nullptr) describe_matrix(*request.imatrix, request.hide_imatrix, header);
  describe_calibration(request, header);
  mend_types(file, header, notes);
  if (auto note = gguf::long_names(header)) notes.push_back(*std::move(note));
}

}  // namespace sluice
