#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <string>

#include "base/page_buffer.h"
#include "base/team.h"
#include "calibrate/model_weights.h"
#include "calibrate/walk_state.h"
#include "model/network.h"
#include "sluice/codec.h"

namespace sluice::calibrate {

/// Goes along with a walk.
class Visitor : public model::Watcher {
 public:
  /// Before a layer is run; of the output the number is that of layers.
  /// \param stream  [tokens, width], which may be changed; it stays where it is until the walk ends
  virtual void begin(std::uint64_t /*layer*/, const linear::Matrix& /*stream*/) {}

  /// A layer was run. What came of it must be safely on the disk when this returns: a walk that goes
  /// on begins with the next.
  virtual void done(std::uint64_t layer) = 0;
};

/// How a budget is shared out among what a walk needs, in bytes.
struct WalkMemory {
  std::uint64_t stream = 0;   ///< [tokens, width]
  std::uint64_t layer = 0;    ///< what is between two matrices: RunSettings::memory
  std::uint64_t weights = 0;  ///< ModelWeights::Settings::memory

  /// The least of each that will do.
  /// \param whole  RunSettings::whole
  static WalkMemory least(const model::Network& network, const model::Tokens& tokens,
                          const MatrixMap& map, int threads, bool whole = false);

  std::uint64_t total() const { return stream + layer + weights; }

  /// Half of what is left of a budget goes to each of layer and weights.
  /// \param beside  bytes of it that are needed for other things
  /// \throws Error (memory_budget) that names the least
  WalkMemory within(std::uint64_t budget, std::uint64_t beside) const;
};

struct WalkSettings {
  Isa isa = Isa::portable;
  std::uint64_t layer_memory = 0;  ///< WalkMemory::layer
  /// So many layers are run, and the output, which comes after all of them, if it is within.
  std::uint64_t layers = std::numeric_limits<std::uint64_t>::max();
  std::string state;          ///< file to go on with after the run was cut off
  std::uint64_t binding = 0;  ///< see WalkState
  /// If every other sequence is of a second stream (see second_stream.h), what the model becomes.
  model::WeightStore* quantized = nullptr;
  const std::atomic<bool>* stop = nullptr;
};

/// Runs a model over tokens, layer by layer, each over all of them, and each but once, even if the run is cut off
/// on the way.
class Walk {
 public:
  /// Looks for what an earlier run has left, and for room for what this one will leave.
  /// \throws Error (resume_refused, input_read, output_no_space)
  Walk(const model::Network& network, const model::Tokens& tokens, ModelWeights& weights,
       Team& team, const WalkSettings& settings);

  /// Whether an earlier run left a state, and layers that it has done.
  bool found() const { return found_; }
  std::uint64_t done() const { return done_; }

  /// Makes the state known, so that whatever the visitor writes from now on is known to be its own.
  /// \throws Error (output_open, output_no_space, output_write)
  void begin();

  /// Runs the layers that are not done. The state stays.
  /// \throws Error of weights, visitor, or state; interrupted
  void run(Visitor& visitor);

  /// Removes the state: the result is where it belongs.
  void end() { state_.remove(); }

  /// [tokens, width] after the layers that are done.
  linear::Matrix stream() const;

 private:
  const model::Network& network_;
  const model::Tokens& tokens_;
  ModelWeights& weights_;
  Team& team_;
  const WalkSettings settings_;
  const WalkState state_;
  const PageBuffer stream_;
  bool found_ = false;
  std::uint64_t done_ = 0;
};

}  // namespace sluice::calibrate
