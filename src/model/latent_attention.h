#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "model/attention.h"

namespace sluice::model {

/// Attention whose keys and values are made of a few numbers a token that all heads share (multi-head
/// latent attention: DeepSeek-V2, 2024). Queries go through their head's matrix to the shared numbers,
/// and are compared with those; what they weigh goes through the head's other matrix.
struct LatentParts {
  Frame frame;
  std::optional<Projection> query_latent = {};  ///< queries are made of few numbers too
  Norm query_norm = {};                         ///< of those
  Projection query;
  Projection latent;  ///< the shared numbers, and a key's part that knows positions
  Norm latent_norm;   ///< of the shared numbers
  Projection keys;    ///< a head's, from the part of a query that knows no positions
  Projection values;  ///< a head's
  /// Instead of both, which then have no names, in files of before April 2025: from the shared numbers to
  /// the key that this part of a query is compared with, and the value, head by head.
  Projection joined = {};
  Projection output;
  std::uint64_t heads = 0;
  float scale = 1;
  Rope rope;
  Temperature temperature = {};
};

/// As DeepSeek's models name and number them.
LatentParts latent_parts(const Metadata& model, std::uint64_t layer, const Frame& frame);

std::unique_ptr<Part> latent_attention(LatentParts parts);

}  // namespace sluice::model
