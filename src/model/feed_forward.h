#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/part.h"

namespace sluice::model {

/// What the gate goes through before the other half is multiplied by it.
enum class Activation {
  silu,
  gelu,
  clamped_silu,  ///< gpt-oss's: see linear::clamped_silu_gate
};

/// down(activation(gate x) * (up x))
struct FeedForwardParts {
  Frame frame = {};
  Projection gate = {};  ///< without a name: `up` has twice the rows, those of the gate first
  Projection up;
  Projection down;
  Activation activation = Activation::silu;
  /// silu(gate x) is at most this, and up x from its negative to it; 0: there are no limits.
  float limit = 0;

  bool packed() const { return gate.weight.empty(); }
  /// Numbers within, of both halves.
  std::uint64_t joined() const { return 2 * down.columns; }
  /// Without the frame's.
  std::vector<std::string> tensors() const;
  /// What gate and up are multiplied by, and what down is.
  /// \param others  weights that are multiplied by the first too
  std::vector<Input> inputs(std::uint64_t number = 0, std::vector<std::string> others = {}) const;
  /// Bytes that products take for themselves.
  std::uint64_t product_bytes(int threads) const;
};

/// The small numbers of all matrices.
struct FeedForwardNumbers {
  ProjectionNumbers gate;
  ProjectionNumbers up;
  ProjectionNumbers down;

  FeedForwardNumbers(const Run& run, const FeedForwardParts& parts);
};

/// With its weights at hand, and watched.
class OpenFeedForward {
 public:
  /// \param number  of the matrices, where there are several
  /// \param others  weights that are multiplied by the same input
  OpenFeedForward(const Run& run, const FeedForwardParts& parts, const FeedForwardNumbers& numbers,
                  std::uint64_t number = 0, std::vector<std::string> others = {});

  /// x [tokens, width] becomes what it gives.
  /// \param joined  [tokens, at least parts.joined()], for what is within
  void apply(const linear::Matrix& x, const linear::Matrix& joined, const TokenRows& tokens) const;
  /// No more tokens come.
  void finish() const;

 private:
  const Run& run_;
  const FeedForwardParts& parts_;
  std::optional<OpenProjection> gate_;
  OpenProjection up_;
  OpenProjection down_;
  Watched outer_;
  Watched inner_;
};

/// As most models name and number them. What has no ffn_gate has it in ffn_gate_up, or in ffn_up.
FeedForwardParts feed_forward_parts(const Metadata& model, std::uint64_t layer, const Frame& frame);

/// The matrices alone, whose names end in `ending`: `length` numbers within, so many matrices of
/// each.
FeedForwardParts gated_parts(const Metadata& model, std::uint64_t layer, const std::string& ending,
                             std::uint64_t length, std::uint64_t matrices = 1);

std::unique_ptr<Part> feed_forward(FeedForwardParts parts);

}  // namespace sluice::model
