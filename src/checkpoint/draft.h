#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/model.h"

namespace sluice::checkpoint {

using Shape = std::vector<std::uint64_t>;  ///< last index fastest, as in the checkpoint

/// The product of the extents. \throws Error (input_format) naming the tensor if it overflows
std::uint64_t elements_of(const Shape& shape, const std::string& tensor);

/// \throws Error (input_format) about a stored tensor whose shape or name does not fit the model
[[noreturn]] void refuse_tensor(const std::string& tensor, const std::string& message);

/// The tensors of a model, as they are found one by one.
class Draft {
 public:
  explicit Draft(std::span<const Stored> stored) : stored_(stored) {}

  /// Adds a tensor. \throws Error (input_format) if there is one of this name
  void add(const std::string& name, Shape shape, std::vector<View> views,
           Change change = Change::none);

  /// Adds one expert's matrix of a stacked tensor.
  /// \throws Error (input_format) if that is there, or of another shape than the others
  void add_expert(const std::string& name, std::uint64_t expert, const Shape& shape, View view);

  /// Adds a tensor of numbers that no stored tensor has.
  void add_values(const std::string& name, std::vector<float> values);

  /// Stacks the experts and gives all tensors to the model, by layer.
  /// \param experts  of each layer that has any
  /// \param layers   of which each must have a tensor
  /// \throws Error (input_format) naming the experts or the layer that is missing
  void finish(std::uint64_t experts, std::uint64_t layers, Model& model);

 private:
  struct Stack {
    Shape shape;  ///< of one expert
    std::map<std::uint64_t, View> views;
  };
  struct Made {
    Shape shape;
    Source source;
  };

  std::span<const Stored> stored_;
  std::map<std::string, Made> made_;
  std::map<std::string, Stack> stacks_;

  void stack(std::uint64_t experts);
  void expect_layers(std::uint64_t layers) const;
  void expect_whole_experts() const;
  TensorType nearest_type(const std::string& name, const Made& made) const;
};

}  // namespace sluice::checkpoint
