#include <algorithm>
#include <array>

#include "recipe/mix_rule.h"

namespace sluice::recipe {
namespace {

using enum Ftype;
using Type = TensorType;
using Kind = TensorKind;

// In a falcon `ffn_down` follows attention's output without a norm between, and takes more harm
// later, less at the start.
constexpr std::array kFfnRules = {
    MixRule{Kind::ffn_down, {q2_k}, always, Type::q3_k, "ffn_down"},
    MixRule{Kind::ffn_down, {q2_k_s}, first_eighth, Type::q4_k, "early ffn_down"},
    MixRule{Kind::ffn_down,
            {iq3_xxs},
            [](const Situation& s) { return without_imatrix(s) && first_eighth(s); },
            Type::q4_k,
            "early ffn_down without importance"},
    MixRule{Kind::ffn_down, {iq3_xxs}, without_imatrix, Type::q3_k, "ffn_down without importance"},
    MixRule{Kind::ffn_down, {q3_k_m}, first_sixteenth, Type::q5_k, "early ffn_down"},
    MixRule{Kind::ffn_down,
            {q3_k_m},
            [](const Situation& s) { return not_falcon(s) || important(s); },
            Type::q4_k,
            "ffn_down"},
    MixRule{Kind::ffn_down, {q3_k_l}, falcon, Type::q4_k, "ffn_down of Falcon"},
    MixRule{Kind::ffn_down, {q3_k_l}, always, Type::q5_k, "ffn_down"},
    MixRule{Kind::ffn_down,
            {q4_k_m},
            [](const Situation& s) { return falcon(s) && first_sixteenth(s); },
            Type::q6_k,
            "early ffn_down of Falcon"},
    MixRule{Kind::ffn_down,
            {q4_k_m},
            [](const Situation& s) { return falcon(s) && important(s); },
            Type::q5_k,
            "important ffn_down of Falcon"},
    MixRule{Kind::ffn_down,
            {q4_k_m},
            [](const Situation& s) { return not_falcon(s) && important(s); },
            Type::q6_k,
            "important ffn_down"},
    MixRule{Kind::ffn_down,
            {iq4_nl, iq4_xs},
            [](const Situation& s) { return without_imatrix(s) && first_eighth(s); },
            Type::q5_k,
            "early ffn_down without importance"},
    MixRule{Kind::ffn_down, {q5_k_m}, important, Type::q6_k, "important ffn_down"},
    MixRule{Kind::ffn_down,
            {q4_k_s},
            [](const Situation& s) { return not_falcon(s) && first_eighth(s); },
            Type::q5_k,
            "early ffn_down"},
    MixRule{Kind::ffn_down,
            {q4_0},
            [](const Situation& s) { return s.has_imatrix && first_eighth(s); },
            Type::q4_1,
            "early ffn_down with importance"},
    MixRule{Kind::ffn_down,
            {q5_0},
            [](const Situation& s) { return s.has_imatrix && first_eighth(s); },
            Type::q5_1,
            "early ffn_down with importance"},
    MixRule{{Kind::ffn_gate, Kind::ffn_up},
            {iq3_xs},
            between_eighths,
            Type::iq3_xxs,
            "ffn_gate and ffn_up of the middle layers"},
};

}  // namespace

std::span<const MixRule> shared_ffn_rules() noexcept {
  return kFfnRules;
}

const MixRule* find_rule(std::span<const MixRule> table, TensorKind kind, Ftype file_type,
                         const Situation& situation) {
  const auto it = std::ranges::find_if(table, [&](const MixRule& rule) {
    return rule.kinds.contains(kind) && rule.file_types.contains(file_type) && rule.when(situation);
  });
  return it == table.end() ? nullptr : &*it;
}

}  // namespace sluice::recipe
