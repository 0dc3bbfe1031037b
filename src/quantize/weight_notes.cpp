#include "quantize/weight_notes.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>

#include "base/name_patterns.h"
#include "base/text.h"
#include "sluice/amounts.h"

namespace sluice {
namespace {

std::string lost_range_note(const Plan& plan, const ChunkEncoder& encoder) {
  constexpr std::size_t kExamples = 3;
  std::string examples;
  std::size_t tensors = 0;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const LostRange lost = encoder.findings(i).lost_range;
    if (lost.weights == 0 || ++tensors > kExamples) continue;
    const PlannedTensor& tensor = plan.tensors[i];
    examples += fmt::format("{}{} ({}, of which {:g} became {:g} in {})", tensors == 1 ? "" : ", ",
                            printable(tensor.name), counted(lost.weights, "weight"), lost.largest,
                            lost.became, name(tensor.type));
  }
  if (tensors == 0) return {};
  if (tensors > kExamples) examples += fmt::format(" and {} more", tensors - kExamples);
  return fmt::format(
      "{} with weights beyond the range of their type, which became smaller: {}. Types without "
      "that limit are bf16 and f32",
      counted(tensors, "tensor"), examples);
}

// Biases may well be zeros, and so may other vectors; matrices and norms would make a layer useless.
bool may_not_be_zero(const PlannedTensor& tensor) {
  return tensor.elements() > tensor.row_elements() || tensor.name.ends_with("norm.weight");
}

std::string zeros_note(const Plan& plan, std::span<const TensorReport> reports) {
  std::vector<std::string> names;
  std::uint64_t zeros = 0;
  std::uint64_t weights = 0;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const PlannedTensor& tensor = plan.tensors[i];
    weights += tensor.elements();
    if (!reports[i].all_zero || !may_not_be_zero(tensor)) continue;
    names.push_back(tensor.name);
    zeros += tensor.elements();
  }
  if (names.empty()) return {};
  return fmt::format(
      "{} ({:.1f} % of the weights) with nothing but zeros, as after a download that was broken "
      "off: {}",
      counted(names.size(), "tensor"),
      100 * static_cast<double>(zeros) / static_cast<double>(weights), name_patterns(names));
}

}  // namespace

std::vector<std::string> weight_notes(const Plan& plan, std::span<const TensorReport> reports,
                                      const ChunkEncoder& encoder) {
  std::vector<std::string> notes;
  for (const std::string& note : {lost_range_note(plan, encoder), zeros_note(plan, reports)}) {
    if (!note.empty()) notes.push_back(note);
  }
  return notes;
}

}  // namespace sluice
