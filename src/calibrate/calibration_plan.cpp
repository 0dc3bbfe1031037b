#include "calibrate/calibration_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/name_patterns.h"
#include "calibrate/matrix_encoder.h"
#include "calibrate/pairs.h"
#include "calibrate/router.h"
#include "calibrate/second_products.h"
#include "codec/feedback.h"
#include "linear/moments.h"
#include "sluice/amounts.h"

namespace sluice::calibrate {
namespace {

using Inputs = std::vector<model::Input>;

/// What a matrix may get, whatever memory there is. An embedding that is the output matrix too is looked up
/// as well, where no column counts more than another.
Treatment treatment_of(const PlannedTensor& tensor) {
  if (tensor.passage != Passage::encoded || tensor.unchanged || tensor.shape.size() < 2 ||
      info(tensor.type).block_elements == 1) {
    return Treatment::none;
  }
  const bool looked_up = tensor.name == "token_embd.weight";
  return find_feedback(tensor.type) != nullptr && !looked_up ? Treatment::feedback
                                                             : Treatment::importance;
}

/// Chooses the treatments of one layer after the other.
class Planner {
 public:
  Planner(const Plan& plan, const TensorIndex& index, std::uint64_t budget, int threads,
          std::uint64_t paired_length)
      : plan_(plan),
        index_(index),
        budget_(budget),
        threads_(threads),
        paired_length_(paired_length) {
    planned_.treatments.resize(plan.tensors.size());
  }

  /// \param inputs  that are summed at the same time
  void add(Inputs inputs) {
    for (const model::Input& input : inputs) choose(input);
    planned_.bytes_of_all = std::max(planned_.bytes_of_all, bytes(inputs));
    while (bytes(inputs) > budget_) {
      const auto largest = std::ranges::max_element(
          inputs, {}, [&](const model::Input& input) { return moments_bytes(input); });
      if (moments_bytes(*largest) == 0) break;
      give_up(*largest);
    }
    planned_.bytes = std::max(planned_.bytes, bytes(inputs));
    for (model::Input& input : inputs) inputs_.push_back(std::move(input));
  }

  CalibrationPlan take() {
    for (const model::Input& input : inputs_) plan_sums(input);
    note_all();
    return std::move(planned_);
  }

 private:
  template <typename Function>
  void for_tensors(const model::Input& input, const Function& of) const {
    for (const std::string& name : input.tensors) {
      if (const auto tensor = index_.find(name)) of(*tensor);
    }
  }

  void choose(const model::Input& input) {
    for_tensors(input, [&](std::uint32_t tensor) {
      planned_.treatments[tensor] = treatment_of(plan_.tensors[tensor]);
      if (planned_.treatments[tensor] == Treatment::importance) without_kernel_.insert(tensor);
    });
  }

  void give_up(const model::Input& input) {
    for_tensors(input, [&](std::uint32_t tensor) {
      if (planned_.treatments[tensor] != Treatment::feedback) return;
      planned_.treatments[tensor] = Treatment::importance;
      given_up_[plan_.tensors[tensor].row_elements()].push_back(plan_.tensors[tensor].name);
    });
  }

  /// Of experts, the moments that theirs are drawn towards are there too.
  std::uint64_t moments_bytes(const model::Input& input) const {
    std::uint64_t bytes = 0;
    for_tensors(input, [&](std::uint32_t tensor) {
      if (planned_.treatments[tensor] != Treatment::feedback) return;
      const std::uint64_t columns = plan_.tensors[tensor].row_elements();
      const std::uint64_t lacks = paired_length_ > 0 ? linear::Lacks::bytes(columns) : 0;
      bytes = (input.matrices > 1 ? 2 : 1) * (linear::Triangle::bytes(columns) + lacks);
    });
    return bytes;
  }

  /// Beside the moments, while a matrix is encoded.
  std::uint64_t encoding_bytes(const model::Input& input) const {
    std::uint64_t most = 0;
    std::uint64_t second = 0;
    for_tensors(input, [&](std::uint32_t index) {
      if (planned_.treatments[index] == Treatment::none) return;
      const PlannedTensor& tensor = plan_.tensors[index];
      const std::uint64_t local = linear::Triangle::kPanel * tensor.row_elements() * sizeof(float);
      most = std::max(most, local + MatrixEncoder::bytes(tensor, threads_, paired_length_ > 0));
      if (paired_length_ == 0) return;
      second += SecondProducts::bytes(tensor) + Pairs::bytes(tensor.row_elements(), paired_length_);
    });
    return most + second;
  }

  std::uint64_t bytes(const Inputs& inputs) const {
    std::uint64_t moments = 0;
    std::uint64_t encoding = 0;
    for (const model::Input& input : inputs) {
      moments += moments_bytes(input);
      encoding = std::max(encoding, encoding_bytes(input));
    }
    return moments + encoding;
  }

  /// A router's input is what moments of its experts are drawn towards.
  void plan_sums(const model::Input& input) {
    InputPlan& sums = planned_.inputs[input.tensors.front()];
    const auto look = [&](std::uint32_t tensor) {
      sums.columns = plan_.tensors[tensor].row_elements();
      sums.moments |= planned_.treatments[tensor] == Treatment::feedback;
    };
    for_tensors(input, look);
    if (is_router(input)) for_tensors(experts_of(input), look);
  }

  void note_all() {
    for (const auto& [columns, names] : given_up_) {
      planned_.notes.push_back(
          fmt::format("the second moments of {} columns take {} and do not fit into --memory: {} "
                      "{} told mean squares only, and encoded without error feedback",
                      columns, bytes_text(static_cast<double>(linear::Triangle::bytes(columns))),
                      name_patterns(names), names.size() == 1 ? "is" : "are"));
    }
    std::map<TensorType, std::vector<std::string>> by_type;
    for (const std::uint32_t tensor : without_kernel_) {
      by_type[plan_.tensors[tensor].type].push_back(plan_.tensors[tensor].name);
    }
    for (const auto& [type, names] : by_type) {
      planned_.notes.push_back(
          fmt::format("{} has no error feedback here: {} told mean squares only", name(type),
                      name_patterns(names)));
    }
  }

  const Plan& plan_;
  const TensorIndex& index_;
  const std::uint64_t budget_;
  const int threads_;
  const std::uint64_t paired_length_;
  CalibrationPlan planned_;
  Inputs inputs_;                                               // all that were added
  std::map<std::uint64_t, std::vector<std::string>> given_up_;  // by columns
  std::set<std::uint32_t> without_kernel_;
};

}  // namespace

bool CalibrationPlan::has_feedback() const {
  return std::ranges::find(treatments, Treatment::feedback) != treatments.end();
}

CalibrationPlan plan_calibration(const Plan& plan, const TensorIndex& index,
                                 const model::Network& network, std::uint64_t budget, int threads,
                                 std::uint64_t paired_length) {
  Planner planner(plan, index, budget, threads, paired_length);
  for (std::uint64_t layer = 0; layer <= network.layers(); ++layer) {
    for (Inputs& inputs : network.inputs_of(layer)) planner.add(std::move(inputs));
  }
  return planner.take();
}

}  // namespace sluice::calibrate
