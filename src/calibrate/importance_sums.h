#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/team.h"
#include "calibrate/walk.h"
#include "imatrix/layout.h"
#include "io/sink.h"

namespace sluice::calibrate {

/// Sums the squares of what a walk's matrices are multiplied by, column by column, and writes them to
/// their places in a file. A sum is of doubles, in the order of the tokens.
class ImportanceSums final : public Visitor {
 public:
  /// \param layout, sink, team  outlive this; the sink's part 0 is the file
  /// \param seen  is told of each input when it is finished
  ImportanceSums(const imatrix::Layout& layout, io::Sink& sink, Team& team,
                 std::function<void(const model::Input&)> seen);

  bool wants(const model::Input& input) override;
  void see(const model::Input& input, const linear::ConstMatrix& x) override;
  void finished(const model::Input& input) override;
  void done(std::uint64_t layer) override;

 private:
  struct Sums {
    std::vector<double> squares;
    std::uint64_t tokens = 0;
  };
  using Key = std::pair<std::string, std::uint64_t>;  // first tensor, number of the matrix

  void write(std::uint64_t offset, std::span<const float> numbers);

  const imatrix::Layout& layout_;
  io::Sink& sink_;
  Team& team_;
  const std::function<void(const model::Input&)> seen_;
  std::map<Key, Sums> sums_;
};

}  // namespace sluice::calibrate
