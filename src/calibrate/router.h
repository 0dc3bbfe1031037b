#pragma once

#include "model/network.h"

namespace sluice::calibrate {

/// Whether an input is that of a layer's router, too, which chooses experts by it.
bool is_router(const model::Input& input);

/// The matrices of all experts that are multiplied by a router's input, of those tokens that it chooses
/// them for. \pre is_router(input)
model::Input experts_of(const model::Input& router);

}  // namespace sluice::calibrate
