#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "calibrate/calibration_plan.h"
#include "calibrate/row_output.h"
#include "calibrate/tensor_index.h"
#include "model/network.h"
#include "sluice/codec.h"

namespace sluice::calibrate {

/// A matrix as the output has it, in memory.
class EncodedMatrix final : public linear::Rows {
 public:
  EncodedMatrix(const PlannedTensor& tensor, Isa isa);

  /// What it is decoded from.
  std::span<std::byte> bytes() { return bytes_; }

  std::size_t rows() const override { return rows_; }
  std::size_t columns() const override { return columns_; }
  void decode(std::size_t first, std::size_t count, float* out) const override;

  static std::uint64_t bytes_of(const PlannedTensor& tensor);

 private:
  const Codec& codec_;
  const std::uint64_t rows_;
  const std::uint64_t columns_;
  std::vector<std::byte> bytes_;
};

/// The weights of tensors that were made without the text, as the output has them, read back. Others are
/// the model's.
class WrittenWeights final : public model::WeightStore {
 public:
  /// All outlive this.
  WrittenWeights(const Plan& plan, const TensorIndex& index, const CalibrationPlan& calibration,
                 const RowOutput& output, model::WeightStore& model, Isa isa)
      : plan_(plan),
        index_(index),
        calibration_(calibration),
        output_(output),
        model_(model),
        isa_(isa) {}

  std::shared_ptr<const linear::Rows> matrix(std::string_view tensor,
                                             std::uint64_t number) override;
  std::vector<float> numbers(std::string_view tensor) override { return model_.numbers(tensor); }
  bool has(std::string_view tensor) const override { return model_.has(tensor); }

 private:
  const Plan& plan_;
  const TensorIndex& index_;
  const CalibrationPlan& calibration_;
  const RowOutput& output_;
  model::WeightStore& model_;
  const Isa isa_;
};

}  // namespace sluice::calibrate
