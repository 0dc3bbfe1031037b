#pragma once

#include <cstdint>
#include <map>

#include "base/clocks.h"
#include "base/cpu_clock.h"
#include "sluice/codec.h"
#include "sluice/tensor_type.h"

namespace sluice::calibrate {

/// How fast this machine calculates: what one thread does is measured for a moment, in its processor time, when it
/// is first asked for, and so many cores are taken to do as much each.
class Rates {
 public:
  Rates(Effort effort, Isa isa, int cores);

  /// Seconds of a multiplication or an addition in a product of matrices.
  double operation() const { return operation_; }

  /// Seconds that a token's number takes between two products: in norms, gates, sums.
  double number() const { return number_; }

  /// Seconds that each number takes that attention gives for a token, in sequences of some length.
  double attention(std::uint64_t sequence_length) const;

  /// Seconds that a weight takes to be encoded with error feedback. \param columns  of its row
  double feedback(TensorType type, double columns);

  /// The same without; of types without an encoder none.
  double encoding(TensorType type);

  /// Seconds that a weight takes to be decoded; of types without a decoder none.
  double decoding(TensorType type);

  /// By how much all that takes longer, since others have the cores too: as it was while this measured.
  double delay() const;

 private:
  const Stopwatch clock_;
  const CpuStopwatch processor_;
  const Effort effort_;
  const Isa isa_;
  const int cores_;
  const double operation_;
  const double number_;
  std::map<TensorType, double> feedback_;  // of those that were asked for
  std::map<TensorType, double> encoding_;
  std::map<TensorType, double> decoding_;
};

}  // namespace sluice::calibrate
