#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tensor_groups.h"

namespace sluice::cli {

/// A tensor's error, for pictures.
struct ErrorPoint {
  std::string name;
  TensorPlace place;
  std::string type;  ///< the tensor's, in words
  double error = 0;  ///< relative squared error; pictures leave out what is not positive and finite
};

/// Errors of all pictures that are to be compared, so that they share axes and colours.
class ErrorScale {
 public:
  void include(std::span<const ErrorPoint> points);

  bool empty() const { return errors_.empty(); }
  double least() const { return errors_.front(); }
  double most() const { return errors_.back(); }
  std::uint32_t layers() const { return layers_; }

  /// Colours, each of which stands for as many errors: most tensors of a model have errors close to
  /// one another, and steps of equal size would show them all alike.
  static constexpr int kColours = 8;
  int colour_of(double error) const;
  double colour_begin(int colour) const;  ///< the least error of a colour

 private:
  std::vector<double> errors_;  // sorted
  std::uint32_t layers_ = 0;
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
