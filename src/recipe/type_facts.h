#pragma once

#include <string_view>

#include "recipe/choose_types.h"
#include "recipe/ftype.h"
#include "sluice/gguf.h"
#include "sluice/recipe.h"
#include "sluice/tensor_type.h"

namespace sluice::recipe {

/// Whether the mix's program knows the type.
bool loads(Mix mix, TensorType type) noexcept;

/// Refuses types that the mix's program cannot load, and those that no weights are kept in.
/// \param what  where it was asked for, in the message after the type's name
/// \throws Error (usage)
void check_type(Mix mix, TensorType type, std::string_view what);

/// The peers refuse to write some types without an importance matrix, except for the embedding and
/// the output, for which matrices have no rows as a rule.
ImportanceNeed importance_need(Mix mix, Ftype file_type, const gguf::Tensor& tensor,
                               TensorType type) noexcept;

}  // namespace sluice::recipe
