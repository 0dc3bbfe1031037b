#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/team.h"
#include "calibrate/written_weights.h"
#include "model/network.h"

namespace sluice::calibrate {

/// What quantized matrices give to the second stream (see second_stream.h).
class SecondProducts {
 public:
  /// Tokens that are multiplied at once.
  static constexpr std::size_t kRows = 512;

  struct Surroundings {
    const Plan& plan;
    const RowOutput& output;
    Isa isa;
    Team& team;
    std::uint64_t sequence_length;
  };

  explicit SecondProducts(const Surroundings& with) : with_(with) {}

  /// Where a matrix is to be left that is encoded now, until it is dropped.
  EncodedMatrix& room(std::uint32_t tensor, std::uint64_t number);
  void drop(std::uint32_t tensor, std::uint64_t number) { held_.erase({tensor, number}); }

  /// Puts what the encoded matrix gives in the place of what the model's gave, for second sequences.
  void replace(std::uint32_t tensor, const model::Product& product);

  /// Bytes that it takes while matrices of a tensor are at work.
  static std::uint64_t bytes(const PlannedTensor& tensor);

 private:
  std::shared_ptr<const EncodedMatrix> encoded(std::uint32_t tensor, std::uint64_t number);

  const Surroundings with_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::shared_ptr<EncodedMatrix>> held_;
};

}  // namespace sluice::calibrate
