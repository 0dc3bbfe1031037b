#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/matrix_map.h"
#include "calibrate/range_reader.h"
#include "calibrate/read_ahead.h"
#include "model/network.h"
#include "sluice/codec.h"

namespace sluice::calibrate {

/// The weights of a model in files, of which those in hand and those that come next are in memory, as
/// the files have them.
class ModelWeights final : public model::WeightStore {
 public:
  struct Settings {
    Isa isa = Isa::portable;
    int threads = 1;           ///< that decode at once
    std::uint64_t memory = 0;  ///< bytes for weights; see least_memory()
    const std::atomic<bool>* stop = nullptr;
  };

  /// \param source  of the model's files; outlives this, as the files do
  ModelWeights(const ModelSource& model, io::Source& source, const Settings& settings);

  /// Bytes that are needed to run a layer: all matrices of its attention, or of its feed-forward
  /// network, of experts one, are in hand at once.
  static std::uint64_t least_memory(const MatrixMap& map, const std::vector<std::string>& tensors,
                                    int threads);

  /// Adds tensors to those that will be asked for, in the order of their use.
  void expect(const std::vector<std::string>& tensors);

  std::shared_ptr<const linear::Rows> matrix(std::string_view tensor,
                                             std::uint64_t number = 0) override;
  std::vector<float> numbers(std::string_view tensor) override;
  bool has(std::string_view tensor) const override { return map_.find(tensor).has_value(); }

  const MatrixMap& map() const { return map_; }
  std::uint64_t read_bytes() const { return reader_.done(); }

  /// Seconds that whoever asked has waited for matrices.
  double waited_s() { return ahead_.waited_s(); }

  /// The most bytes of matrices that were in memory at once, but for those that stay on the disk.
  std::uint64_t most_held() const { return ahead_.most_held(); }

 private:
  MatrixId id_of(std::string_view tensor, std::uint64_t number) const;
  bool stays_on_disk(const MatrixId& matrix) const;

  const MatrixMap map_;
  const Settings settings_;
  const std::uint64_t budget_;  // without what reading takes
  RangeReader reader_;
  std::set<std::size_t> expected_;
  ReadAhead ahead_;
};

}  // namespace sluice::calibrate
