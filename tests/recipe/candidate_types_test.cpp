#include "recipe/candidate_types.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "recipe/model.h"
#include "sluice/codec.h"
#include "sluice/error.h"

namespace sluice::recipe_test {
namespace {

using recipe::CandidateTypes;
using Types = std::vector<TensorType>;
using T = TensorType;

std::string error_of(const MixTarget& target, const gguf::Tensor& tensor, bool importance = true,
                     Mix mix = Mix::llama_cpp) {
  try {
    CandidateTypes(target, mix).of(tensor, importance);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  return {};
}

const gguf::Tensor kUp = make_tensor("blk.0.ffn_up.weight", {1024, 64});

TEST(CandidateTypes, UsualOnesRiseAndHaveEncoders) {
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    const auto types = recipe::usual_types(mix);
    EXPECT_TRUE(std::ranges::is_sorted(types, {}, bits_per_weight)) << name(mix);
    for (const TensorType type : types) {
      const Codec* codec = find_codec(type);
      EXPECT_TRUE(codec != nullptr && codec->encode != nullptr) << name(type);
    }
    EXPECT_EQ(CandidateTypes({}, mix).of(kUp, true), Types(types.begin(), types.end()));
  }
}

TEST(CandidateTypes, OfTheUserByRisingBitsEachOnce) {
  const MixTarget target{.types = {T::q6_k, T::iq3_s, T::q6_k, T::q4_k}};
  EXPECT_EQ(CandidateTypes(target, Mix::llama_cpp).of(kUp, true),
            (Types{T::iq3_s, T::q4_k, T::q6_k}));
  EXPECT_NE(error_of({.types = {T::iq4_k}}, kUp).find("llama.cpp cannot load iq4_k"),
            std::string::npos);
  EXPECT_EQ(error_of({.types = {T::iq4_k}}, kUp, true, Mix::ik_llama_cpp), "");
}

TEST(CandidateTypes, AllBoundsThatMatchHold) {
  const MixTarget target{.types = {T::iq2_s, T::iq3_s, T::q3_k, T::q4_k, T::q6_k},
                         .at_least = {{"ffn", T::iq3_s}, {"attn_w", T::q4_k}},
                         .at_most = {{"ffn_up", T::q4_k}, {"^blk\\.0\\.", T::q6_k}}};
  CandidateTypes candidates(target, Mix::llama_cpp);
  EXPECT_EQ(candidates.of(kUp, true), (Types{T::iq3_s, T::q3_k, T::q4_k}));
  EXPECT_EQ(candidates.of(make_tensor("output.weight", {256, 4}), true), target.types);
  EXPECT_EQ(candidates.notes(), (std::vector<std::string>{"--at-least attn_w=q4_k concerns no "
                                                          "tensor whose type is chosen"}));
  EXPECT_EQ(error_of({.types = {T::iq2_s, T::q4_k}, .at_least = {{"ffn", T::q6_k}}}, kUp),
            "tensor 'blk.0.ffn_up.weight': it can have none of the types iq2_s q4_k: --at-least "
            "ffn=q6_k. "
            "Widen --types, --at-least or --at-most");
}

TEST(CandidateTypes, WhatIsUselessWithoutImportanceNeedsIt) {
  const MixTarget target{.types = {T::iq1_m, T::iq3_xxs, T::q2_k, T::iq3_s}};
  EXPECT_EQ(CandidateTypes(target, Mix::llama_cpp).of(kUp, false), (Types{T::q2_k, T::iq3_s}));
  EXPECT_EQ(CandidateTypes(target, Mix::ik_llama_cpp).of(kUp, false),
            (Types{T::q2_k, T::iq3_xxs, T::iq3_s}));
  // For which matrices have no rows as a rule.
  const gguf::Tensor output = make_tensor("output.weight", {1024, 64});
  EXPECT_EQ(CandidateTypes(target, Mix::llama_cpp).of(output, false).size(), 4u);
  EXPECT_EQ(error_of({.types = {T::iq1_m}}, kUp, false),
            "tensor 'blk.0.ffn_up.weight': it can have none of the types iq1_m: its importance "
            "values are "
            "not known. Give an importance matrix that has it, or more types with --types");
}

TEST(CandidateTypes, RowsThatAreNoWholeBlocksHaveSubstitutes) {
  const MixTarget target{.types = {T::iq2_s, T::iq3_s, T::q4_k, T::q6_k, T::q8_0}};
  const gguf::Tensor odd = make_tensor("blk.0.ffn_down.weight", {96, 64});
  EXPECT_EQ(CandidateTypes(target, Mix::llama_cpp).of(odd, true),
            (Types{T::iq4_nl, T::q5_0, T::q8_0}));
  const gguf::Tensor prime = make_tensor("blk.0.ffn_down.weight", {97, 64});
  EXPECT_EQ(CandidateTypes(target, Mix::llama_cpp).of(prime, true), Types{T::f16});
}

TEST(CandidateTypes, WhatIsQuantizedGetsFewerBitsOrStays) {
  const gguf::Tensor experts = make_tensor("blk.0.ffn_up_exps.weight", {256, 64, 8}, T::mxfp4);
  CandidateTypes usual({}, Mix::llama_cpp);
  EXPECT_EQ(usual.of(experts, true).back(), T::mxfp4);
  EXPECT_EQ(usual.of(experts, true).size(), 10u);
  EXPECT_EQ(CandidateTypes({.types = {T::iq3_s, T::q6_k}}, Mix::llama_cpp).of(experts, true),
            Types{T::iq3_s});
  EXPECT_EQ(CandidateTypes({.types = {T::q6_k}}, Mix::llama_cpp).of(experts, true),
            Types{T::mxfp4});
}

}  // namespace
}  // namespace sluice::recipe_test
