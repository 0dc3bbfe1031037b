#pragma once

#include <string>

#include "plan/plan.h"

namespace sluice {

/// Tells of the tensors that the only program that reads their type cannot run, though their rows are whole
/// blocks of it: ik_llama.cpp multiplies IQ1_S_R4 and IQ1_M_R4 by 128 columns at a time.
/// \returns a sentence, or nothing if there are none
std::string unmultiplied_text(const Plan& plan);

}  // namespace sluice
