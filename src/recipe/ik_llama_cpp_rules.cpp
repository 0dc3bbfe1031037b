#include <array>

#include "recipe/mix_rule.h"

// The mixes of ik_llama.cpp of August 2026 (`llama_tensor_get_type`). There `attn_q` and `attn_k`
// mean every name that begins so: `attn_qkv` and `attn_q_a`, `attn_k_b` and `attn_kv_a_mqa`.

namespace sluice::recipe {
namespace {

using enum Ftype;
using Type = TensorType;
using Kind = TensorKind;

constexpr KindSet kEmbeddings = {Kind::token_embd, Kind::per_layer_token_embd};
constexpr KindSet kQueries = {Kind::attn_q, Kind::attn_q_part, Kind::attn_qkv};
constexpr KindSet kKeys = {Kind::attn_k, Kind::attn_k_part, Kind::attn_kv_b};
constexpr KindSet kQueriesAndKeys = {Kind::attn_q, Kind::attn_q_part, Kind::attn_qkv,
                                     Kind::attn_k, Kind::attn_k_part, Kind::attn_kv_b};

constexpr KindSet kFeedForward = {Kind::ffn_down, Kind::ffn_gate, Kind::ffn_up};

constexpr Condition kManyExperts = [](const Situation& s) { return s.facts.experts >= 8; };
constexpr Condition kHasExperts = [](const Situation& s) { return s.facts.experts >= 4; };
constexpr Condition kTwoExperts = [](const Situation& s) { return s.facts.experts >= 2; };
constexpr Condition kSharedBy2 = [](const Situation& s) { return s.facts.query_group >= 2; };
constexpr Condition k70b = [](const Situation& s) { return is_70b(Mix::ik_llama_cpp, s.facts); };
constexpr Condition kLargeVocabulary = [](const Situation& s) {
  return s.facts.vocabulary >= 127999 && (is_8b(s.facts) || k70b(s));
};

constexpr Condition kSharedBy4ButInDrafts = [](const Situation& s) {
  return shared_by_4(s) && s.facts.architecture != "dflash-draft";
};

/// Those that have rules for the values of models of other sizes.
constexpr FtypeSet kRuledValues = {q2_k,   q2_k_s, q3_k_s, q3_k_m, q3_k_l,  q4_k_s, q4_k_m,
                                   q5_k_s, q5_k_m, iq2_k,  iq3_k,  iq4_k,   iq5_k,  iq3_xxs,
                                   iq3_xs, iq3_s,  iq3_m,  iq4_nl, iq4_xs,  iq2_kl, iq3_ks,
                                   iq3_kl, iq3_kt, iq4_kt, iq4_ks, iq4_kss, iq5_ks};

constexpr FtypeSet kFourRows = {iq1_s_r4, iq1_m_r4};
constexpr FtypeSet kRuledAlone = {iq2_kt, iq1_s_r4, iq1_m_r4};

constexpr std::array kRules = {
    MixRule{kEmbeddings,
            {iq1_s, iq1_m, iq2_xxs, iq2_xs, iq1_s_r4, iq1_m_r4},
            always,
            Type::q2_k,
            "token embedding"},
    MixRule{kEmbeddings, {iq2_s, iq2_m, iq3_xxs, iq3_kt}, always, Type::iq3_s, "token embedding"},

    // IQ2_KT, IQ1_S_R4 and IQ1_M_R4, which no other rules are for. (Of the last two, what ik_llama.cpp
    // makes to four rows between one another is the plain type here.)
    MixRule{Kind::attn_v, kRuledAlone, shared_by_4, Type::iq4_k,
            "values shared by 4 queries or more"},
    MixRule{Kind::attn_v, kRuledAlone, kHasExperts, Type::iq4_k, "values of a model with experts"},
    MixRule{Kind::attn_v, kRuledAlone, kSharedBy2, Type::iq3_k, "values shared by 2 or 3 queries"},
    MixRule{Kind::attn_v, kRuledAlone, always, Type::q2_k, "values"},
    MixRule{kQueriesAndKeys, kRuledAlone, kManyExperts, Type::q4_k,
            "attention of a model with 8 experts or more"},
    MixRule{Kind::attn_qkv, {iq2_kt}, always, Type::iq3_k, "queries, keys and values in one"},
    MixRule{Kind::attn_qkv, kFourRows, always, Type::iq2_k, "queries, keys and values in one"},
    MixRule{kFeedForward, kRuledAlone,
            [](const Situation& s) { return kManyExperts(s) && s.index == 0; }, Type::iq3_k,
            "first layer of a model with 8 experts or more"},
    MixRule{kFeedForward, kRuledAlone, [](const Situation& s) { return s.shared_expert; },
            Type::iq4_k, "shared expert"},
    MixRule{Kind::ffn_down, {iq2_kt}, first_eighth, Type::iq3_k, "early ffn_down"},
    MixRule{Kind::ffn_down, kFourRows, first_eighth, Type::q2_k, "early ffn_down"},
    MixRule{Kind::attn_output, kRuledAlone, kHasExperts, Type::q5_k,
            "attention output of a model with experts"},
    MixRule{Kind::attn_output, {iq2_kt}, always, Type::iq3_k, "attention output"},
    MixRule{Kind::attn_output, kFourRows, always, Type::iq2_k, "attention output"},
    MixRule{KindSet::all(), kRuledAlone, always, std::nullopt, kDefaultReason},

    // Few bits.
    MixRule{Kind::attn_v, kFewBits, shared_by_4, Type::iq4_k, "values shared by 4 queries or more"},
    MixRule{Kind::attn_v, kFewBits, kHasExperts, Type::iq4_k, "values of a model with experts"},
    MixRule{Kind::attn_v, kFewBits, kSharedBy2, Type::iq3_k, "values shared by 2 or 3 queries"},
    MixRule{Kind::attn_v, kFewBits, kTwoExperts, Type::iq3_k, "values of a model with experts"},
    MixRule{Kind::attn_v, {iq2_s, iq2_m}, always, Type::iq3_s, "values"},
    MixRule{Kind::attn_v, kFewBits, always, Type::q2_k, "values"},
    MixRule{kQueriesAndKeys, kFewBits, kManyExperts, Type::q4_k,
            "attention of a model with 8 experts or more"},
    MixRule{
        Kind::attn_qkv, {iq2_s, iq2_m}, always, Type::iq3_xxs, "queries, keys and values in one"},
    MixRule{Kind::attn_qkv, kFewBits, always, Type::iq2_k, "queries, keys and values in one"},
    MixRule{Kind::ffn_down, {iq2_s, iq2_m}, first_eighth, Type::iq3_s, "early ffn_down"},
    MixRule{Kind::ffn_down, kFewBits, first_eighth, Type::q2_k, "early ffn_down"},
    MixRule{Kind::attn_output, kFewBits, kHasExperts, Type::q5_k,
            "attention output of a model with experts"},
    MixRule{Kind::attn_output, {iq1_s, iq1_m}, always, Type::iq2_k, "attention output"},
    MixRule{Kind::attn_output, {iq2_s, iq2_m}, always, Type::iq3_s, "attention output"},

    // Values.
    MixRule{Kind::attn_v, ~kFewBits, kHasExperts, Type::q8_0, "values of a model with experts"},
    MixRule{Kind::attn_v,
            {q3_k_s, q3_k_m, q3_k_l, q4_k_s, q4_k_m},
            k70b,
            Type::q5_k,
            "values of a model with 70 billion weights"},
    MixRule{Kind::attn_v,
            {iq3_k, iq3_kl},
            k70b,
            Type::iq5_k,
            "values of a model with 70 billion weights"},
    MixRule{Kind::attn_v, kRuledValues, k70b, std::nullopt, kDefaultReason},
    MixRule{Kind::attn_v, {q2_k}, shared_by_4, Type::q4_k, "values shared by 4 queries or more"},
    MixRule{Kind::attn_v, {q2_k}, always, Type::q3_k, "values"},
    MixRule{Kind::attn_v, {iq2_k}, kSharedBy2, Type::iq4_k, "values shared by 2 queries or more"},
    MixRule{Kind::attn_v, {iq2_k}, always, Type::iq3_k, "values"},
    MixRule{Kind::attn_v,
            {q2_k_s, iq3_xxs},
            shared_by_4,
            Type::q4_k,
            "values shared by 4 queries or more"},
    MixRule{Kind::attn_v, {iq3_xxs}, kSharedBy2, Type::iq3_k, "values shared by 2 or 3 queries"},
    MixRule{Kind::attn_v, {iq3_xxs}, without_imatrix, Type::iq3_s, "values without importance"},
    MixRule{Kind::attn_v,
            {iq3_xs, iq3_s, iq3_k},
            kSharedBy2,
            Type::iq4_k,
            "values shared by 2 queries or more"},
    MixRule{Kind::attn_v,
            {iq3_m, iq3_kl, iq4_nl, iq4_xs, iq4_k, iq4_ks, iq4_kss},
            kSharedBy2,
            Type::iq5_k,
            "values shared by 2 queries or more"},
    MixRule{Kind::attn_v, {iq3_m, iq3_kl}, always, Type::iq4_k, "values"},
    MixRule{Kind::attn_v,
            {iq2_kl, iq3_ks},
            kSharedBy2,
            Type::iq4_ks,
            "values shared by 2 queries or more"},
    MixRule{Kind::attn_v, {iq3_kt}, shared_by_4, Type::iq4_k, "values shared by 4 queries or more"},
    MixRule{Kind::attn_v, {iq3_kt}, always, Type::iq3_k, "values"},
    MixRule{Kind::attn_v, {iq4_kt}, shared_by_4, Type::iq5_k, "values shared by 4 queries or more"},
    MixRule{Kind::attn_v, {iq4_kt}, always, Type::iq4_k, "values"},
    MixRule{Kind::attn_v, {q3_k_m}, first_two, Type::q5_k, "values of the first two"},
    MixRule{Kind::attn_v, {q3_k_m}, always, Type::q4_k, "values"},
    MixRule{Kind::attn_v, {q3_k_l}, always, Type::q5_k, "values"},
    MixRule{Kind::attn_v, {q4_k_m, q5_k_m}, important, Type::q6_k, "important values"},
    MixRule{Kind::attn_v, {q4_k_s}, first_four, Type::q5_k, "values of the first four"},
    MixRule{Kind::attn_v, {q5_k_s}, kLargeVocabulary, Type::q6_k, "values, large vocabulary"},
    MixRule{
        Kind::attn_v, {iq5_k, iq5_ks}, kLargeVocabulary, Type::iq6_k, "values, large vocabulary"},
    MixRule{Kind::attn_v, {q3_k_s}, shared_by_4, Type::q4_k, "values shared by 4 queries or more"},
    MixRule{Kind::attn_v, {q4_k_s}, shared_by_4, Type::q5_k, "values shared by 4 queries or more"},
    MixRule{Kind::attn_v,
            {q4_k_m},
            kSharedBy4ButInDrafts,
            Type::q5_k,
            "values shared by 4 queries or more"},
    MixRule{Kind::attn_v,
            {q5_k_m},
            kSharedBy4ButInDrafts,
            Type::q6_k,
            "values shared by 4 queries or more"},

    // The rest of the attention.
    MixRule{kKeys, ~kFewBits, kHasExperts, Type::q8_0, "keys of a model with experts"},
    MixRule{kQueriesAndKeys, {iq3_xs}, always, Type::iq3_xxs, "queries and keys"},
    MixRule{kQueriesAndKeys, {iq3_xxs}, always, Type::iq2_s, "queries and keys"},
    MixRule{kQueries, {q5_k_s}, kLargeVocabulary, Type::q4_k, "queries, large vocabulary"},
    MixRule{kQueries, {iq5_k}, kLargeVocabulary, Type::iq4_k, "queries, large vocabulary"},
    MixRule{kQueries, {iq5_ks}, kLargeVocabulary, Type::iq4_ks, "queries, large vocabulary"},
    MixRule{Kind::attn_output, {q3_k_l}, falcon, Type::q4_k, "attention output of Falcon"},
    MixRule{Kind::attn_output, ~kFewBits, falcon, std::nullopt, kDefaultReason},
    MixRule{Kind::attn_output,
            {q2_k,   iq3_xs, iq3_xxs, q3_k_s, q3_k_m, iq4_nl, q4_k_s, q4_k_m, iq3_s,   iq3_m,
             iq4_xs, iq2_k,  iq3_k,   iq4_k,  iq3_kl, iq3_ks, iq3_kt, iq4_ks, iq4_kss, iq5_ks},
            kHasExperts,
            Type::q5_k,
            "attention output of a model with experts"},
    MixRule{Kind::attn_output,
            {iq2_kl},
            kHasExperts,
            Type::iq4_ks,
            "attention output of a model with experts"},
    MixRule{Kind::attn_output, ~kFewBits, kHasExperts, std::nullopt, kDefaultReason},
    MixRule{Kind::attn_output, {q2_k}, always, Type::q3_k, "attention output"},
    MixRule{Kind::attn_output, {iq3_xxs}, always, Type::iq3_s, "attention output"},
    MixRule{Kind::attn_output, {q3_k_m}, always, Type::q4_k, "attention output"},
    MixRule{Kind::attn_output, {q3_k_l}, always, Type::q5_k, "attention output"},
    MixRule{Kind::attn_output, {iq3_m}, always, Type::iq4_k, "attention output"},
    MixRule{Kind::attn_output, {iq2_k}, always, Type::iq3_k, "attention output"},
    MixRule{Kind::attn_output, {iq3_kt}, shared_by_4, Type::iq3_k, "attention output"},
    MixRule{Kind::attn_output, {iq3_kl}, always, Type::iq4_ks, "attention output"},

    MixRule{Kind::ffn_down,
            {iq3_m},
            [](const Situation& s) { return first_eighth(s) || (kHasExperts(s) && important(s)); },
            Type::iq4_k,
            "important ffn_down"},
    MixRule{kFeedForward, {iq3_kl}, important, Type::iq4_ks, "important feed-forward matrices"},
    MixRule{Kind::ffn_down,
            {iq3_kt},
            [](const Situation& s) { return without_imatrix(s) && first_eighth(s); },
            Type::iq4_k,
            "early ffn_down without importance"},
    MixRule{Kind::ffn_down, {iq3_kt}, without_imatrix, Type::iq3_k, "ffn_down without importance"},
    MixRule{Kind::ffn_down,
            {iq4_ks, iq4_kss},
            [](const Situation& s) { return without_imatrix(s) && first_eighth(s); },
            Type::q5_k,
            "early ffn_down without importance"},
};

}  // namespace

Rule ik_llama_cpp_output_rule(Ftype file_type, TensorType own, const ModelFacts& facts,
                              std::uint64_t row_elements) {
  constexpr FtypeSet kFewBitsInAll = {iq1_s,   iq1_m,  iq2_xxs, iq2_xs,   iq2_s,   iq2_m,
                                      iq3_xxs, iq2_k,  iq3_k,   iq1_kt,   iq2_kt,  iq2_ks,
                                      iq2_kl,  iq3_ks, iq3_kt,  iq1_s_r4, iq1_m_r4};
  constexpr FtypeSet kMoreIfTied = {iq3_s, iq3_m, iq4_xs, iq3_kl, iq4_ks, iq4_kss};
  constexpr std::uint64_t kSuperBlock = 256;
  const bool tied = facts.tied_output;
  const std::string_view reason = tied ? "token embedding is output too" : "output";
  if (facts.architecture == "falcon") return {Type::q8_0, "output of Falcon"};
  if (row_elements % kSuperBlock != 0) {
    return {Type::q8_0, "output with rows that are no multiple of 256"};
  }
  if (kFewBitsInAll.contains(file_type)) return {tied ? Type::iq4_k : Type::q5_k, reason};
  if (kMoreIfTied.contains(file_type) && tied) return {Type::iq5_k, reason};
  if (own == Type::q8_0 || own == Type::iq6_k) return {own, reason};
  return {Type::q6_k, reason};
}

Rule ik_llama_cpp_rule(TensorKind kind, Ftype file_type, TensorType own,
                       const Situation& situation) {
  const MixRule* row = find_rule(kRules, kind, file_type, situation);
  if (row == nullptr) row = find_rule(shared_ffn_rules(), kind, file_type, situation);
  return row == nullptr ? Rule{own, kDefaultReason} : Rule{row->type.value_or(own), row->reason};
}

}  // namespace sluice::recipe
