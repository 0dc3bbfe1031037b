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
#include "calibrate/second_products.h"
#include "calibrate/tensor_index.h"
#include "calibrate/walk.h"

namespace sluice::calibrate {

/// Goes along with a walk, sums what each layer's matrices are multiplied by, and encodes them as soon
/// as all tokens of their input have been seen, while their weights are in memory. With a second stream (see
/// second_stream.h) that is before they are multiplied.
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
    std::uint64_t paired_length =
        0;  ///< of sequences, if there is a second stream; 0: there is none
  };

  explicit LayerEncoder(const Surroundings& with);

  bool wants(const model::Input& input) override;
  void see(const model::Input& input, const linear::ConstMatrix& x) override {
    see_tokens(input, x, {});
  }
  void see_tokens(const model::Input& input, const linear::ConstMatrix& x,
                  const model::TokenRows& tokens) override;
  void multiplied(const model::Product& product) override;
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
  void make(const model::Input& input);
  void encode(const model::Input& input, Treatment treatment,
              const MatrixEncoder::Knowledge& known);
  void shrink(const model::Input& input, InputSums& sums);

  const Surroundings with_;
  MatrixEncoder encoder_;
  std::optional<SecondProducts> second_;
  std::map<Key, InputSums> sums_;
  std::optional<model::Input> seen_;       // last, and nothing is made of it yet
  std::optional<linear::Moments> router_;  // of all tokens of the layer in hand
  std::optional<linear::Lacks> router_lacks_;
  std::uint64_t experts_ = 0;
  std::uint64_t scarce_experts_ = 0;
};

}  // namespace sluice::calibrate
