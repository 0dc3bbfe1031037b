#pragma once

#include "checkpoint/families/family.h"

namespace sluice::checkpoint {

/// Writes the keys that all have.
void describe_common(const Description& description);

/// Writes the widths of a Qwen's experts too.
void describe_qwen_moe(const Description& description);

/// Writes the keys of gated delta nets too, which three of four layers of Qwen3-Next and later are.
void describe_qwen_hybrid(const Description& description);

/// Of such models: the rules of what is stored alike, and whether a tensor is a norm's weight less one.
std::vector<Rule> hybrid_rules();
bool is_hybrid_norm(std::string_view stored);

/// The logarithms of how fast states fade as the rates that they stand for.
void negative_exponential(const Match& match, Draft& draft);

/// Rules for experts that are stacked already, as newer writers do; others have one tensor each.
std::vector<Rule> stacked_expert_rules();

/// Qwen 3.5 and 3.6.
void describe_qwen35(const Description& description);
std::vector<Rule> qwen35_rules();

}  // namespace sluice::checkpoint
