#pragma once

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {

/// Writes the keys that all have.
void describe_common(const Description& description);

/// Writes the widths of a Qwen's experts too.
void describe_qwen_moe(const Description& description);

/// Rules for experts that are stacked already, as newer writers do; others have one tensor each.
std::vector<Rule> stacked_expert_rules();

}  // namespace sluice::checkpoint
