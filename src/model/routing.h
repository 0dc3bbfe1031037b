#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/metadata.h"
#include "sluice/codec.h"

namespace sluice::model {

/// How a router's scores choose a token's experts, and what weighs what these give.
struct Routing {
  enum class Gate {
    softmax,            ///< of all scores
    sigmoid,            ///< of each
    softmax_of_chosen,  ///< scores choose, and the chosen share one
  };

  Gate gate = Gate::softmax;
  std::size_t experts = 0;
  std::size_t chosen = 0;
  /// Experts stand in so many groups, and all chosen ones are from so many of them: those whose two
  /// best experts have the most together (DeepSeek-V3).
  std::size_t groups = 1;
  std::size_t chosen_groups = 1;
  bool shares = false;  ///< weights are divided by their sum
  float scale = 1;      ///< and multiplied by this
};

/// As the metadata say it; a softmax where they do not.
Routing routing_of(const Metadata& model);

struct Choice {
  std::uint32_t expert;
  float weight;
};

/// Chooses a token's experts, the best first; of equals that with the lower number.
/// \param scores  [experts]; overwritten
/// \param bias    [experts], added to the gates where experts are chosen, and not where they are
///                weighed; or empty
/// \param out     [routing.chosen]
void route(const Routing& routing, std::span<float> scores, std::span<const float> bias, Isa isa,
           std::span<Choice> out);

/// A token that is sent to an expert.
struct Sent {
  std::uint32_t token;
  float weight;
};

/// Choices of all tokens, in the order of the experts and then of the tokens.
class Routes {
 public:
  /// \param choices  [tokens, routing.chosen]
  Routes(const Routing& routing, std::span<const Choice> choices);

  std::span<const Sent> to(std::size_t expert) const;

 private:
  std::vector<std::size_t> first_;  // of each expert, and the end
  std::vector<Sent> sent_;
};

}  // namespace sluice::model
