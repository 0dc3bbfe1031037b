#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "sluice/tensor_type.h"

// What is known of a model's tensors, and the file that keeps it.

namespace sluice::measure {

/// A tensor's costs. cost = gain * error: what an error of the tensor's own outputs becomes in the
/// residual stream after its layer.
struct TensorMeasures {
  /// Expected |dW x|^2 of an input x, summed over the outputs; dW: what encoding does to the weights.
  std::map<TensorType, double> errors = {};
  double gain = 1;
  double power = 0;  ///< expected |W x|^2, of which the errors are parts
  /// The same without outputs that are far from the others: as many as there are, times the median of one's.
  double typical_power = 0;
  /// Expected |x' - x|^2 / |x|^2 of the residual stream after the layer, by the type that it was run with.
  double change = 0;
};

/// All that is measured of a model.
struct Measurements {
  std::uint64_t binding =
      0;               ///< hash of all that they depend on: model, text or importance, method
  std::string method;  ///< in words
  /// Mean KL divergence over change of the residual stream: the model's own constant.
  double divergence_per_change = 0;
  std::map<std::string, TensorMeasures> tensors = {};

  /// Nats; nothing if it is not measured.
  std::optional<double> divergence(const std::string& tensor, TensorType type) const;
};

/// Reads a file of measurements; nothing if it is not there, is empty or is bound to something else.
/// \throws Error (input_open, input_read; input_format: it is no file of measurements)
std::optional<Measurements> load(const std::string& file, std::uint64_t binding);

/// What the file is bound to; nothing if it is not there, or is no such file.
std::optional<std::uint64_t> binding_in(const std::string& file);

/// Replaces the file in one step. \throws Error (output_open, output_write, output_no_space)
void save(const Measurements& measurements, const std::string& file);

}  // namespace sluice::measure
