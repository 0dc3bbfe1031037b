#include <array>

#include "recipe/mix_rule.h"

// The mixes of llama.cpp v0.5.0 (`llama_tensor_get_type_impl`).

namespace sluice::recipe {
namespace {

using enum Ftype;
using Type = TensorType;
using Kind = TensorKind;

constexpr KindSet kEmbeddings = {Kind::token_embd, Kind::per_layer_token_embd};
constexpr KindSet kValues = {Kind::attn_v, Kind::attn_qkv, Kind::attn_kv_b};
constexpr KindSet kFfn = {Kind::ffn_down, Kind::ffn_gate, Kind::ffn_up};

constexpr Condition kMixtralLike = [](const Situation& s) { return s.facts.experts == 8; };
constexpr Condition kHasExperts = [](const Situation& s) { return s.facts.experts >= 4; };

/// Multi-head latent attention keeps matrices of heads in one tensor too; only BailingMoE3 is asked
/// whether the tensor belongs to experts.
constexpr Condition kExperts = [](const Situation& s) {
  return s.stacked && s.facts.architecture != "bailingmoe3";
};
constexpr Condition kStacked = [](const Situation& s) { return s.stacked; };

constexpr std::array kRules = {
    MixRule{KindSet::all(), {mxfp4}, kExperts, Type::mxfp4, "matrices of experts"},
    MixRule{kFfn, {mxfp4}, kStacked, Type::mxfp4, "matrices of experts"},
    MixRule{KindSet::all(), {mxfp4}, always, Type::q8_0, "no experts"},

    MixRule{kEmbeddings, {iq1_s, iq1_m, iq2_xxs, iq2_xs}, always, Type::q2_k, "token embedding"},
    MixRule{kEmbeddings, {iq2_s, iq2_m, iq3_xxs}, always, Type::iq3_s, "token embedding"},
    MixRule{kEmbeddings, {tq1_0, tq2_0, q2_0}, always, Type::q4_k, "token embedding"},

    // Few bits.
    MixRule{kValues, kFewBits, shared_by_4, Type::q4_k, "values shared by 4 queries or more"},
    MixRule{kValues, kFewBits, kHasExperts, Type::q4_k, "values of a model with experts"},
    MixRule{kValues, {iq2_s, iq2_m}, always, Type::iq3_s, "values"},
    MixRule{kValues, kFewBits, always, Type::q2_k, "values"},
    MixRule{Kind::attn_k, kFewBits, kMixtralLike, Type::q4_k, "keys of a model with 8 experts"},
    MixRule{Kind::ffn_down, {iq2_s, iq2_m}, first_eighth, Type::iq3_s, "early ffn_down"},
    MixRule{Kind::ffn_down, kFewBits, first_eighth, Type::q2_k, "early ffn_down"},
    MixRule{Kind::attn_output, kFewBits, kMixtralLike, Type::q5_k,
            "attention output of a model with 8 experts"},
    MixRule{Kind::attn_output, {iq1_s, iq1_m}, always, Type::iq2_xxs, "attention output"},
    MixRule{Kind::attn_output, {iq2_s, iq2_m}, always, Type::iq3_s, "attention output"},

    // Values. Those of a model with 8 experts cost next to nothing.
    MixRule{kValues, ~kFewBits, kMixtralLike, Type::q8_0, "values of a model with 8 experts"},
    MixRule{kValues, {q2_k}, shared_by_4, Type::q4_k, "values shared by 4 queries or more"},
    MixRule{kValues, {q2_k}, always, Type::q3_k, "values"},
    MixRule{kValues,
            {q2_k_s, iq3_xxs, iq3_xs, iq3_s},
            shared_by_4,
            Type::q4_k,
            "values shared by 4 queries or more"},
    MixRule{kValues, {iq3_xxs}, without_imatrix, Type::iq3_s, "values without importance"},
    MixRule{kValues, {iq3_m}, always, Type::q4_k, "values"},
    MixRule{kValues, {q3_k_m}, first_two, Type::q5_k, "values of the first two"},
    MixRule{kValues, {q3_k_m}, always, Type::q4_k, "values"},
    MixRule{kValues, {q3_k_l}, always, Type::q5_k, "values"},
    MixRule{
        kValues, {iq4_nl, iq4_xs}, shared_by_4, Type::q5_k, "values shared by 4 queries or more"},
    MixRule{kValues, {q4_k_m, q5_k_m}, important, Type::q6_k, "important values"},
    MixRule{kValues, {q4_k_s}, first_four, Type::q5_k, "values of the first four"},

    // The rest of the attention.
    MixRule{Kind::attn_k, ~kFewBits, kMixtralLike, Type::q8_0, "keys of a model with 8 experts"},
    MixRule{{Kind::attn_k, Kind::attn_q}, {iq3_xs}, always, Type::iq3_xxs, "queries and keys"},
    MixRule{{Kind::attn_k, Kind::attn_q}, {iq3_xxs}, always, Type::iq2_s, "queries and keys"},
    MixRule{Kind::attn_output, {q3_k_l}, falcon, Type::q4_k, "attention output of Falcon"},
    MixRule{Kind::attn_output, ~kFewBits, falcon, std::nullopt, kDefaultReason},
    MixRule{Kind::attn_output,
            {q2_k, iq3_xs, iq3_xxs, q3_k_s, q3_k_m, iq4_nl, q4_k_s, q4_k_m, iq3_s, iq3_m, iq4_xs},
            kMixtralLike,
            Type::q5_k,
            "attention output of a model with 8 experts"},
    MixRule{Kind::attn_output, ~kFewBits, kMixtralLike, std::nullopt, kDefaultReason},
    MixRule{Kind::attn_output, {q2_k}, always, Type::q3_k, "attention output"},
    MixRule{Kind::attn_output, {iq3_xxs}, always, Type::iq3_s, "attention output"},
    MixRule{Kind::attn_output, {q3_k_m, iq3_m}, always, Type::q4_k, "attention output"},
    MixRule{Kind::attn_output, {q3_k_l}, always, Type::q5_k, "attention output"},

    MixRule{Kind::ffn_down,
            {iq3_m},
            [](const Situation& s) { return first_eighth(s) || (kMixtralLike(s) && important(s)); },
            Type::q4_k,
            "important ffn_down"},
};

// With 8 queries a value these are small.
Rule raised_in_70b(Rule rule, const ModelFacts& facts) {
  const bool few_bits = rule.type == Type::q3_k || rule.type == Type::q4_k;
  if (!few_bits || !is_70b(Mix::llama_cpp, facts)) return rule;
  return {Type::q5_k, "values of a model with 70 billion weights"};
}

}  // namespace

Rule llama_cpp_output_rule(Ftype file_type, TensorType own, const ModelFacts& facts,
                           std::uint64_t row_elements) {
  constexpr FtypeSet kQ5K = {iq1_s, iq1_m, iq2_xxs, iq2_xs, iq2_s, iq2_m, iq3_xxs};
  const std::string_view reason = facts.tied_output ? "token embedding is output too" : "output";
  if (file_type == mxfp4) return {Type::q8_0, reason};
  if (facts.architecture == "falcon") return {Type::q8_0, "output of Falcon"};
  if (row_elements % info(own).block_elements != 0) {
    return {Type::q8_0, "output with rows that are no whole blocks"};
  }
  if (kQ5K.contains(file_type)) return {Type::q5_k, reason};
  if (own == Type::q8_0) return {own, reason};
  return {Type::q6_k, reason};
}

Rule llama_cpp_rule(TensorKind kind, Ftype file_type, TensorType own, const Situation& situation) {
  const MixRule* row = find_rule(kRules, kind, file_type, situation);
  if (row == nullptr) row = find_rule(shared_ffn_rules(), kind, file_type, situation);
  const Rule rule =
      row == nullptr ? Rule{own, kDefaultReason} : Rule{row->type.value_or(own), row->reason};
  return kValues.contains(kind) && !kFewBits.contains(file_type)
             ? raised_in_70b(rule, situation.facts)
             : rule;
}

}  // namespace sluice::recipe
