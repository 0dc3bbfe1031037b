#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/metadata.h"
#include "model/network.h"

namespace sluice::model {

/// Rotary positions (Su et al., RoFormer): pairs of a head's numbers are turned by angles that grow
/// with the position.
struct Rope {
  bool neighbours = false;          ///< pairs are numbers 2i and 2i + 1; else i and i + half
  std::vector<double> frequencies;  ///< of each pair, in radians for a position
  std::string factors;              ///< a tensor that divides the frequencies, or nothing
  std::string long_factors;         ///< the one for sequences longer than `long_beyond`, or nothing
  std::uint64_t long_beyond = 0;
  float magnitude = 1;  ///< what turned numbers are multiplied by
};

struct RopeChoice {
  bool neighbours = false;
  std::uint64_t dimensions = 0;  ///< of a head that are turned, from the first
  double base = 10000;
  double scale = 1;  ///< positions are multiplied by this (linear, YaRN)
};

/// Positions that the model was first trained with; 0: it does not say.
std::uint64_t trained_context(const Metadata& model);

/// As the model's `rope.*` keys say.
/// \param head  numbers of a head, all of which are turned if the model says nothing else
RopeChoice rope_choice(const Metadata& model, std::uint64_t head, bool neighbours);

/// With the scaling that `rope.scaling.type` asks for: none, linear, or YaRN (Peng et al., 2023);
/// without factors.
Rope rope_of(const Metadata& model, const RopeChoice& choice);

/// The factors that models of Llama 3.1 and later have, if this one does (rope_freqs), or those of
/// LongRoPE (Ding et al., 2024).
/// \param count  how many a tensor has, of which the first are those of the pairs
void add_factors(const Metadata& model, std::uint64_t count, Rope& rope);

/// The cosines and sines of positions 0 to `positions` - 1.
class Turns {
 public:
  Turns(const Rope& rope, WeightStore& weights, std::uint64_t positions);

  std::size_t dimensions() const { return 2 * pairs_; }
  /// Turns the first dimensions() numbers of a head.
  void turn(float* head, std::uint64_t position) const;

  static std::uint64_t bytes(const Rope& rope, std::uint64_t positions);

 private:
  bool neighbours_;
  std::size_t pairs_;
  std::vector<float> cosines_;  // [positions, pairs]
  std::vector<float> sines_;
};

}  // namespace sluice::model
