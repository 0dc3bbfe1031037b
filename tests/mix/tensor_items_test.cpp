#include "mix/tensor_items.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "sluice/error.h"

namespace sluice::mix {
namespace {

using T = TensorType;

TensorChoice tensor(std::string name, std::vector<TypeCost> types) {
  return {.name = std::move(name), .types = std::move(types)};
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.what();
  }
  return {};
}

const std::vector<TensorChoice> kTensors = {
    tensor("token_embd.weight", {{T::q4_k, 100, 1}, {T::q6_k, 150, 0.5}}),
    tensor("blk.0.ffn_gate_inp.weight", {{T::f32, 33, 0}}),
    tensor("blk.0.ffn_gate.weight", {{T::iq2_s, 64, 4}, {T::q4_k, 96, 2}, {T::q6_k, 128, 1}}),
    tensor("blk.0.ffn_up.weight", {{T::q4_k, 90, 3}, {T::q6_k, 120, 2}}),
    tensor("blk.1.ffn_up.weight", {{T::q4_k, 90, 3}, {T::q6_k, 120, 2}}),
};

TEST(TensorItems, EachTensorIsOneWithItsPadding) {
  const std::vector<std::size_t> places = {0, 1, 1, 0, 1};
  const TensorItems items(kTensors, places, {}, 32);
  ASSERT_EQ(items.items().size(), kTensors.size());
  for (std::size_t i = 0; i < kTensors.size(); ++i) {
    const Item& item = items.items()[i];
    EXPECT_EQ(item.name, kTensors[i].name);
    EXPECT_EQ(item.place, places[i]);
    ASSERT_EQ(item.candidates.size(), kTensors[i].types.size());
    EXPECT_EQ(item.candidates.back().cost, kTensors[i].types.back().divergence);
  }
  EXPECT_EQ(items.items()[0].candidates[0].bytes, 128u);
  EXPECT_EQ(items.items()[1].candidates[0].bytes, 64u);
  EXPECT_EQ(items.items()[2].candidates[0].bytes, 64u);
  const std::vector<std::size_t> chosen = {1, 0, 2, 0, 1, 7};  // the last is of something else
  EXPECT_EQ(items.types_of(chosen), (std::vector<std::size_t>{1, 0, 2, 0, 1}));
}

TEST(TensorItems, TiedTensorsOfALayerGetOneType) {
  const std::vector<std::string> ties = {"ffn_(gate|up)"};
  const std::vector<std::size_t> places(kTensors.size());
  const TensorItems items(kTensors, places, ties, 1);
  ASSERT_EQ(items.items().size(), 4u);
  const Item& both = items.items()[2];
  ASSERT_EQ(both.candidates.size(), 2u);  // iq2_s is not for both
  EXPECT_EQ(both.candidates[0].bytes, 96u + 90);
  EXPECT_EQ(both.candidates[0].cost, 5);
  EXPECT_EQ(both.candidates[1].bytes, 128u + 120);
  EXPECT_EQ(both.candidates[1].cost, 3);
  EXPECT_EQ(items.items()[1].candidates.size(), 1u);  // the router stays what it is
  const std::vector<std::size_t> chosen = {0, 0, 1, 0};
  EXPECT_EQ(items.types_of(chosen), (std::vector<std::size_t>{0, 0, 2, 1, 0}));
}

TEST(TensorItems, CostsThatAreNone) {
  for (const double cost : {std::nan(""), HUGE_VAL, -1.0}) {
    const std::vector<TensorChoice> tensors = {tensor("output.weight", {{T::q4_k, 64, cost}})};
    EXPECT_THROW(TensorItems(tensors, std::vector<std::size_t>{0}, {}, 1), Error) << cost;
  }
}

TEST(TensorItems, TiesThatCannotBe) {
  const std::vector<std::string> ties = {"ffn"};
  const std::vector<TensorChoice> apart = {
      tensor("blk.0.ffn_gate.weight", {{T::iq2_s, 64, 4}, {T::q4_k, 96, 2}}),
      tensor("blk.0.ffn_up.weight", {{T::q5_k, 90, 3}, {T::q6_k, 120, 2}})};
  EXPECT_EQ(error_of([&] {
              TensorItems(apart, std::vector<std::size_t>{0, 0}, ties, 1);
            }),
            "tensor 'blk.0.ffn_gate.weight': is tied to blk.0.ffn_up.weight, and there is no type "
            "that all "
            "that are tied can have. Change --tie, --at-least or --at-most");
  EXPECT_EQ(
      error_of([&] {
        TensorItems(kTensors, std::vector<std::size_t>{0, 0, 0, 1, 1}, ties, 1);
      }),
      "tensor 'blk.0.ffn_gate.weight': is tied to blk.0.ffn_up.weight, which is in another place. "
      "Change --tie or --target");
}

TEST(Places, TheFirstThatMatchesAndTheRest) {
  EXPECT_EQ(places_of(kTensors, {}), std::vector<std::size_t>(kTensors.size()));
  const std::vector<PlaceTarget> places = {{"*", 1}, {"blk\\.0", 2}, {"ffn_up", 3}};
  EXPECT_EQ(places_of(kTensors, places), (std::vector<std::size_t>{0, 1, 1, 1, 2}));
  const std::vector<PlaceTarget> no_rest = {{"blk", 2}};
  EXPECT_EQ(error_of([&] { places_of(kTensors, no_rest); }),
            "tensor 'token_embd.weight': is in none of the places that there are targets for. Add "
            "one for "
            "all others: --target '*=SIZE'");
  const std::vector<PlaceTarget> unused = {{"*", 1}, {"exps", 2}};
  EXPECT_EQ(error_of([&] { places_of(kTensors, unused); }),
            "no tensor is left for the target 'exps'. Leave it out, or write the pattern so that "
            "it matches names of tensors, and before others that match them too");
}

}  // namespace
}  // namespace sluice::mix
