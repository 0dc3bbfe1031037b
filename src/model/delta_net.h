#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/part.h"

namespace sluice::model {

/// Heads of a gated delta net. A head of values has a state of its own; several may share the queries and
/// the keys of one head.
struct DeltaHeads {
  std::uint64_t key_heads = 0;  ///< of queries and of keys
  std::uint64_t value_heads = 0;
  std::uint64_t key_length = 0;
  std::uint64_t value_length = 0;
  bool tiled =
      false;  ///< value heads that share a key head are key_heads apart; else they are neighbours

  std::uint64_t keys() const { return key_heads * key_length; }
  std::uint64_t values() const { return value_heads * value_length; }
  std::uint64_t channels() const { return 2 * keys() + values(); }
  std::uint64_t shared() const { return value_heads / key_heads; }
  std::uint64_t key_head_of(std::uint64_t value_head) const {
    return tiled ? value_head % key_heads : value_head / shared();
  }
};

/// Linear attention by the gated delta rule (Yang et al., Gated Delta Networks, 2024), as Qwen3-Next and
/// Qwen 3.5 have it: queries, keys and values go through a short convolution over the tokens; each value
/// head keeps a matrix that a token's key asks for what is known, and to which is added what its value has
/// beyond that.
struct DeltaNetParts {
  Frame frame;
  DeltaHeads heads;
  Projection mixed;  ///< queries, keys, values of all heads, in this order
  Projection gate;   ///< silu of it weighs what comes out
  /// What is added at each token (through a sigmoid), and how fast the state fades: of all value heads each;
  /// or one matrix of both, in which the rates of a key head's value heads come before their decays.
  std::vector<Projection> rates;
  std::uint64_t taps = 0;   ///< tokens that the convolution reaches over
  std::string convolution;  ///< a tensor [channels, taps]
  std::string decay;        ///< a tensor [value_heads] of negative numbers
  std::string decay_bias;   ///< a tensor [value_heads]
  Norm norm;                ///< of what a head gives
  Projection output;
};

/// As llama.cpp names and numbers them.
/// \param tiled  see DeltaHeads
DeltaNetParts delta_net_parts(const Metadata& model, std::uint64_t layer, const Frame& frame,
                              bool tiled);

std::unique_ptr<Part> delta_net(DeltaNetParts parts);

}  // namespace sluice::model
