#include "plan/unmultiplied.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sluice/amounts.h"

namespace sluice {

std::string unmultiplied_text(const Plan& plan) {
  constexpr std::uint64_t kColumns = 128;
  const auto unmultiplied = [](const PlannedTensor& tensor) {
    return (tensor.type == TensorType::iq1_s_r4 || tensor.type == TensorType::iq1_m_r4) &&
           tensor.row_elements() % kColumns != 0;
  };
  const auto count = std::ranges::count_if(plan.tensors, unmultiplied);
  if (count == 0) return {};
  const PlannedTensor& first = *std::ranges::find_if(plan.tensors, unmultiplied);
  return fmt::format(
      "{} of {} with rows that {} does not divide, {}'s of {} first: ik_llama.cpp loads the file, "
      "and "
      "ends when it multiplies by them. --tensor-type gives them another type",
      counted(static_cast<std::uint64_t>(count), "tensor"), name(first.type), kColumns,
      printable(first.name), first.row_elements());
}

}  // namespace sluice
