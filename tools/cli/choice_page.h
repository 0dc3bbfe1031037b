#pragma once

#include <string>
#include <vector>

#include "html_page.h"
#include "measured_files.h"

namespace sluice::cli {

/// Of a choice, also on the page of a run that it was made for: its key figures without the size, how
/// it was measured and what it is beside the default mixes, and what scripts draw.
std::vector<KeyFigure> choice_figures(const nlohmann::json& choice);
std::vector<Fact> choice_facts(const nlohmann::json& choice,
                               const std::vector<MeasuredFile>& measured);
nlohmann::json choice_data(const nlohmann::json& choice, const std::vector<MeasuredFile>& measured);

/// A page about the types chosen for a size: which sizes could be had at what divergence, where the
/// default mixes lie, the choice by kind and layer, what each tensor could have had.
/// \param choice    as `to_json(MixChoice)` tells it
/// \param label     whose it is: the model's name, or that of the choice's file
/// \param measured  files to show beside what is foretold
Page choice_page(const nlohmann::json& choice, const std::string& label,
                 const std::vector<MeasuredFile>& measured);

}  // namespace sluice::cli
