#pragma once

#include <string>
#include <vector>

#include "html_page.h"
#include "measured_files.h"

namespace sluice::cli {

/// A page about the types chosen for a size: which sizes could be had at what divergence, where the
/// default mixes lie, the choice by kind and layer, what each tensor could have had.
/// \param choice    as `to_json(MixChoice)` tells it
/// \param label     whose it is: the model's name, or that of the choice's file
/// \param measured  files to show beside what is foretold
Page choice_page(const nlohmann::json& choice, const std::string& label,
                 const std::vector<MeasuredFile>& measured);

}  // namespace sluice::cli
