#pragma once

#include <string>

#include "sluice/gguf.h"
#include "sluice/recipe.h"
#include "sluice/tensor_type.h"

namespace sluice::recipe {

/// The type that a tensor can have if a rule asks for `type`: `type` itself if its rows are whole blocks of
/// it, else the peer's substitute with blocks of 32, else F16. In place of a type that stores several
/// rows together there is the plain one where rows are no whole groups, or are looked up one by one.
///
/// llama.cpp does just that. ik_llama.cpp aborts on rows that are no multiple of 32, so that F16
/// there follows llama.cpp.
TensorType fitting_type(Mix mix, TensorType type, const gguf::Tensor& tensor) noexcept;

/// Why a tensor cannot have a type, as "rows of 80 are no whole blocks of q4_k".
std::string misfit_text(TensorType type, const gguf::Tensor& tensor);

}  // namespace sluice::recipe
