#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Bytes for the tensors whose names match: what a runtime keeps in one place.
struct PlaceTarget {
  std::string
      pattern;  ///< regular expression, searched for in the name; "*": all that no other matches
  std::uint64_t bytes = 0;
};

/// The least or the most that matching tensors may get, by bits of a weight.
struct TypeBound {
  std::string pattern;
  TensorType type;
};

/// A size in place of a mix: which type each tensor gets is chosen so that the output is near to the model.
struct MixTarget {
  std::uint64_t size = 0;  ///< bytes of the output, all files; 0: not given
  double bpw = 0;          ///< bits for each of the model's weights, without headers; 0: not given
  std::vector<PlaceTarget> places = {};
  std::vector<TensorType> types = {};  ///< to choose from; empty: the mix's program's usual ones
  std::vector<TypeBound> at_least = {};
  std::vector<TypeBound> at_most = {};
  /// Regular expressions: tensors of a layer that one of them matches get one type, as those that
  /// have their input in common: `ffn_(gate|up)\.`.
  std::vector<std::string> ties = {};
  /// Text that the model is run on to measure what a type does to it; empty: the calibration's, if
  /// there is one, else nothing is run, and weights are compared under the importance matrix.
  std::vector<std::string> texts = {};
  std::uint64_t tokens = 4096;  ///< of it, at most
  std::string measurements =
      {};  ///< file that keeps them; empty: beside the output, named after the model

  bool given() const { return size > 0 || bpw > 0 || !places.empty(); }
};

}  // namespace sluice

#pragma GCC visibility pop
