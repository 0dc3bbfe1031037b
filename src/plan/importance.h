#pragma once

#include <cstddef>
#include <span>

#include "plan/plan.h"
#include "recipe/choose_types.h"

namespace sluice {

/// Finds each tensor's importance row, by its name in the input, and notes which ones are missing.
/// \param imatrix  null: none
/// \param choices  one for each tensor of the plan
/// \param model    the input, of which
/// \param kept     are the places of the plan's tensors
/// \throws Error (imatrix_length)
void assign_importance(const ImportanceMatrix* imatrix, std::span<const TypeChoice> choices,
                       const gguf::Header& model, std::span<const std::size_t> kept, Plan& plan);

}  // namespace sluice
