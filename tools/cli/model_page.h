#pragma once

#include "html_page.h"
#include "sluice/inspect.h"

namespace sluice::cli {

/// A page about a model: sizes by layer, kind and type, tensors, metadata.
/// \param most_elements  of an array: the first so many
Page model_page(const Inspection& model, std::uint64_t most_elements);

}  // namespace sluice::cli
