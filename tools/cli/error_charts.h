#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tensor_groups.h"

namespace sluice::cli {

/// A tensor's error, for pictures.
struct ErrorPoint {
  std::string name;
  TensorPlace place;
  std::string type;  ///< the tensor's, in words
  double error = 0;  ///< relative squared error; pictures leave out what is not positive and finite
};

/// Errors of all pictures that are to be compared, so that they share a scale.
struct ErrorScale {
  double least = 1;  ///< of the positive, finite errors
  double most = 0;   ///< less than `least`: there are none
  std::uint32_t layers = 0;

  bool empty() const { return most < least; }
  void include(std::span<const ErrorPoint> points);
};

/// Each tensor's error over its layer, by group of tensors; those outside the layers stand apart.
std::string error_by_layer(std::span<const ErrorPoint> points, const ErrorScale& scale,
                           const std::string& title);

/// Which groups the picture above has, with their marks.
std::string error_legend(std::span<const ErrorPoint> points);

/// Errors as colours: kinds of tensors down, layers across.
std::string error_map(std::span<const ErrorPoint> points, const ErrorScale& scale,
                      const std::string& title);

/// The colours' meaning.
std::string error_map_legend(const ErrorScale& scale);

}  // namespace sluice::cli
