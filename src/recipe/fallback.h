#pragma once

#include <cstdint>

#include "sluice/recipe.h"
#include "sluice/tensor_type.h"

namespace sluice::recipe {

/// The type that a row of `row_elements` weights can have if a rule asks for `type`: `type` itself
/// if the row is whole blocks of it, else the peer's substitute with blocks of 32, else F16.
///
/// llama.cpp does just that. ik_llama.cpp aborts on rows that are no multiple of 32, so that F16
/// there follows llama.cpp.
TensorType fitting_type(Mix mix, TensorType type, std::uint64_t row_elements) noexcept;

}  // namespace sluice::recipe
