#include "quantize/weight_notes.h"

#include <fmt/format.h>

#include <cstddef>

#include "base/text.h"
#include "base/zero_tensors.h"
#include "sluice/amounts.h"

namespace sluice {
namespace {

std::string lost_range_note(const Plan& plan, const EncodingFindings& found) {
  constexpr std::size_t kExamples = 3;
  std::string examples;
  std::size_t tensors = 0;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const LostRange lost = found.weights(i).lost_range;
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

std::string zeros_note(const Plan& plan, std::span<const TensorReport> reports) {
  ZeroTensors zeros;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    zeros.add(plan.tensors[i].name, plan.tensors[i].shape, reports[i].all_zero);
  }
  return zeros.note();
}

}  // namespace

std::vector<std::string> weight_notes(const Plan& plan, std::span<const TensorReport> reports,
                                      const EncodingFindings& found) {
  std::vector<std::string> notes;
  for (const std::string& note : {lost_range_note(plan, found), zeros_note(plan, reports)}) {
    if (!note.empty()) notes.push_back(note);
  }
  return notes;
}

}  // namespace sluice
