#pragma once

#include <cstdint>
#include <map>
#include <utility>

#include "measure/measure_text.h"
#include "measure/request.h"
#include "sluice/codec.h"
#include "sluice/tensor_type.h"

namespace sluice::measure {

/// Products of weight matrices with tokens.
struct Products {
  double operations = 0;  ///< multiplications and additions
  double numbers = 0;     ///< that go in for tokens, or come out

  void add(double matrices, double rows, double columns, double tokens) {
    operations += 2 * matrices * rows * columns * tokens;
    numbers += matrices * (rows + columns) * tokens;
  }
};

/// What measuring has yet to do, counted before anything is read.
struct MeasuringWork {
  Products forward = {};   ///< the model's own and its variants'
  Products variants = {};  ///< of encoded matrices in place of these
  Products errors = {};    ///< of rows in all types
  double moments = 0;      ///< multiplications and additions of second moments and their factors
  // Numbers that attention gives for tokens, and how long their sequences are.
  double attended = 0;
  std::uint64_t sequence_length = 0;
  // Weights, as often as they are encoded and decoded.
  std::map<TensorType, double> encoded = {};
  std::map<TensorType, double> decoded = {};
  std::map<std::pair<TensorType, std::uint64_t>, double> fed_back =
      {};  ///< with error feedback, by the columns of a row
  // Bytes.
  double read = 0;
  double written = 0;  ///< of the state, while nothing else is done

  /// Whether all is in the file of measurements.
  bool none() const { return forward.operations == 0 && decoded.empty(); }
};

/// What measure_text() would do; of experts each is taken to be sent as many tokens as the others.
/// \throws Error (memory_budget; of the file of measurements)
MeasuringWork work_of(const TextRequest& request);

/// What measure_weights() would do. \throws Error (of the file of measurements; memory_budget)
MeasuringWork work_of(const Request& request);

/// Seconds that all threads together take, if each calculates as fast as one measured for a moment.
struct MeasuringTime {
  double forward = 0;   ///< running the model and its variants
  double encoding = 0;  ///< encoding and decoding
  double errors = 0;    ///< of products of sampled rows
  double moments = 0;

  double all() const { return forward + encoding + errors + moments; }
};

MeasuringTime estimate(const MeasuringWork& work, Effort effort, Isa isa, int cores);

}  // namespace sluice::measure
