#pragma once

#include <string_view>

#include "model/network.h"
#include "sluice/gguf.h"

namespace sluice::calibrate {

/// Of the experts of a model's layers, the part that a token is sent to; 1 where there are none.
double share_of_experts(const gguf::Header& model);

/// Whether a tensor's matrices are experts, of which the first stands for all in Network::inputs_of(). Heads come
/// one by one.
bool is_of_experts(std::string_view tensor) noexcept;

/// How many matrices an input stands for, and which part of all tokens each of them is multiplied by.
struct InputLoad {
  /// \param experts  share_of_experts()
  InputLoad(const model::Input& input, double experts);

  double matrices = 1;
  double share = 1;
};

}  // namespace sluice::calibrate
