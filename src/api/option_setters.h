#pragma once

#include <string_view>

#include "sluice/options.h"

// Values of options that are more than one member's.

namespace sluice::option_setters {

void set_type(Options& options, const Option&, std::string_view value);
void set_threads(Options& options, const Option&, std::string_view value);
void add_pruned_layers(Options& options, const Option&, std::string_view value);
void override_metadata(Options& options, const Option&, std::string_view value);
void set_pre_tokenizer(Options& options, const Option&, std::string_view value);
void set_share(Options& options, const Option&, std::string_view value);
void set_split_tensors(Options& options, const Option&, std::string_view value);
void set_memory(Options& options, const Option&, std::string_view value);
void set_checkpoint(Options& options, const Option&, std::string_view value);
void set_split_size(Options& options, const Option&, std::string_view value);
void set_calibration_context(Options& options, const Option&, std::string_view value);
void set_calibration_chunks(Options& options, const Option&, std::string_view value);

void set_target_size(Options& options, const Option&, std::string_view value);
void set_target_bpw(Options& options, const Option&, std::string_view value);
void add_place(Options& options, const Option&, std::string_view value);
void add_offered_types(Options& options, const Option&, std::string_view value);
void set_measured_tokens(Options& options, const Option&, std::string_view value);
void add_tie(Options& options, const Option&, std::string_view value);

}  // namespace sluice::option_setters
