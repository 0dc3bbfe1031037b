#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/calibration_plan.h"
#include "calibrate/input_sums.h"
#include "calibrate/matrix_encoder.h"
#include "calibrate/row_output.h"
#include "calibrate/tensor_index.h"
#include "calibrate/walk.h"

namespace sluice::calibrate {

/// Goes along with a walk, sums what each layer's matrices are multiplied by, and encodes them as soon
/// as all tokens of their input have been seen, while their weights are in memory.
class LayerEncoder final : public Visitor {
 public:
  /// What it works with; all outlive it.
  struct Surroundings {
    const Plan& plan;
    const TensorIndex& index;
    const CalibrationPlan& calibration;
    model::WeightStore& weights;
    RowOutput& output;
    const EncoderSettings& settings;
    Team& team;
  };

  explicit LayerEncoder(const Surroundings& with)
      : with_(with), encoder_(with.plan, with.output, with.settings, with.team) {}

  bool wants(const model::Input& input) override;
  void see(const model::Input& input, const linear::ConstMatrix& x) override;
  void finished(const model::Input& input) override;

  /// Brings what was encoded to the disk.
  void done(std::uint64_t layer) override;

  /// Inputs of experts that were summed, and those of them that saw fewer tokens than they have columns.
  std::uint64_t experts() const { return experts_; }
  std::uint64_t scarce_experts() const { return scarce_experts_; }

 private:
  /// An input by its first tensor and the number of its matrices.
  using Key = std::pair<std::string, std::uint64_t>;

  template <typename Function>
  void for_tensors(const model::Input& input, const Function& of) const;
  bool is_due(std::uint32_t tensor, std::uint64_t first, std::uint64_t last) const;
  bool experts_want(const model::Input& router) const;
  void encode(const model::Input& input, Treatment treatment,
              const MatrixEncoder::Knowledge& known);
  void shrink(const model::Input& input, linear::Moments& moments);

  const Surroundings with_;
  MatrixEncoder encoder_;
  std::map<Key, InputSums> sums_;
  std::optional<linear::Moments> router_;  // of all tokens of the layer in hand
  std::uint64_t experts_ = 0;
  std::uint64_t scarce_experts_ = 0;
};

}  // namespace sluice::calibrate
