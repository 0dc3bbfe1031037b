#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "model/feed_forward.h"
#include "model/routing.h"

namespace sluice::model {

/// Feed-forward networks of which each token goes through a few that a router chooses, and through
/// those that all tokens share, if there are any. One expert after the other is run over the tokens
/// that are sent to it, so that no other's weights need be in memory.
struct ExpertsParts {
  Frame frame;
  Routing routing;
  Projection router;
  std::string choice_bias = {};  ///< a tensor's name; see route()
  FeedForwardParts each;         ///< matrices of all experts
  bool weigh_inputs = false;     ///< what goes into an expert is weighed, not what comes out
  std::optional<FeedForwardParts> shared = {};
  std::optional<Projection> shared_gate = {};  ///< to a number whose sigmoid weighs what they give
};

/// As most models name and number them: experts, how many are used, in which groups, how they are
/// weighed as far as the metadata say it. Softmax if they say nothing.
ExpertsParts experts_parts(const Metadata& model, std::uint64_t layer, const Frame& frame);

/// Adds the shared experts, all of them together of this many numbers within.
void add_shared(const Metadata& model, std::uint64_t layer, std::uint64_t length,
                ExpertsParts& parts);

std::unique_ptr<Part> experts(ExpertsParts parts);

}  // namespace sluice::model
