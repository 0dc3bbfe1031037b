#pragma once

#include <string>

#include "sluice/mix_choice.h"
#include "sluice/observer.h"
#include "sluice/quantize.h"

#pragma GCC visibility push(default)

namespace sluice {

/// Measures what `options.target` needs and its file of measurements does not hold, keeps it there, and chooses.
/// \throws Error (usage: no choice has this size, which names the smallest and the largest)
MixChoice choose_mix(const QuantizeOptions& options, Observer& observer);

/// The file that keeps what is measured for a size: the one that is named, or one beside the output; without
/// an output one beside the model, or here if that is on a server. It is named after the model and, if there is one,
/// the text.
std::string measurements_file(const QuantizeOptions& options);

/// The choice as rules that a user edits and gives to --tensor-type-file, or, with ik_llama.cpp's mix, to
/// --custom-q: one for each type of a kind of tensors, in which exactly the layers that have it are named.
/// Comments tell what each tensor takes and adds to the divergence, and how the peer's program, which
/// reads no comments, is given the rules. Tensors that are kept have none.
std::string recipe_text(const MixChoice& choice, Mix dialect);

}  // namespace sluice

#pragma GCC visibility pop
