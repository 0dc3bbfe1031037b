// Which experts a token is sent to, and how they are weighed: by hand.

#include "model/routing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sluice::model {
namespace {

std::vector<Choice> chosen(const Routing& routing, std::vector<float> scores,
                           const std::vector<float>& bias = {}) {
  std::vector<Choice> out(routing.chosen);
  route(routing, scores, bias, Isa::portable, out);
  return out;
}

void expect_equal(const std::vector<Choice>& found, const std::vector<Choice>& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].expert, wanted[i].expert);
    EXPECT_NEAR(found[i].weight, wanted[i].weight, 1e-6) << i;
  }
}

float logit(double p) {
  return static_cast<float>(std::log(p / (1 - p)));
}

const std::vector<float> kOneTwoFourOne{0, std::log(2.0f), std::log(4.0f), 0};  // eighths

TEST(Routing, TakesSharesOfAllOrOfTheChosen) {
  Routing routing{.experts = 4, .chosen = 2};
  expect_equal(chosen(routing, kOneTwoFourOne), {{2, 4 / 8.0f}, {1, 2 / 8.0f}});
  routing.shares = true;
  expect_equal(chosen(routing, kOneTwoFourOne), {{2, 4 / 6.0f}, {1, 2 / 6.0f}});
  routing.scale = 3;
  expect_equal(chosen(routing, kOneTwoFourOne), {{2, 2}, {1, 1}});
  expect_equal(
      chosen({.gate = Routing::Gate::softmax_of_chosen, .experts = 4, .chosen = 2}, kOneTwoFourOne),
      {{2, 4 / 6.0f}, {1, 2 / 6.0f}});
}

TEST(Routing, WeighsWithoutTheBiasThatChose) {
  const Routing routing{.gate = Routing::Gate::sigmoid, .experts = 3, .chosen = 2};
  expect_equal(chosen(routing, {logit(0.9), logit(0.2), logit(0.5)}, {0, 1, 0}),
               {{1, 0.2f}, {0, 0.9f}});
}

TEST(Routing, ChoosesFromTheGroupsWhoseBestTwoHaveTheMost) {
  Routing routing{
      .gate = Routing::Gate::sigmoid, .experts = 6, .chosen = 2, .groups = 2, .chosen_groups = 1};
  const std::vector<float> scores{logit(0.9), logit(0.1),  logit(0.2),
                                  logit(0.6), logit(0.55), logit(0.1)};
  expect_equal(chosen(routing, scores), {{3, 0.6f}, {4, 0.55f}});
  routing.chosen_groups = 2;
  expect_equal(chosen(routing, scores), {{0, 0.9f}, {3, 0.6f}});
}

TEST(Routing, TakesTheFirstOfEquals) {
  const float log2 = std::log(2.0f);
  expect_equal(chosen({.experts = 4, .chosen = 2}, {log2, 0, log2, log2}),
               {{0, 2 / 7.0f}, {2, 2 / 7.0f}});
}

TEST(Routing, SortsTokensByExpert) {
  const Routing routing{.experts = 4, .chosen = 2};
  const std::vector<Choice> choices{{3, 1}, {0, 2}, {0, 3}, {2, 4}, {3, 5}, {0, 6}};
  const Routes routes(routing, choices);
  const auto tokens = [&](std::size_t expert) {
    std::vector<std::pair<std::uint32_t, float>> all;
    for (const Sent& sent : routes.to(expert)) all.emplace_back(sent.token, sent.weight);
    return all;
  };
  using Tokens = std::vector<std::pair<std::uint32_t, float>>;
  EXPECT_EQ(tokens(0), (Tokens{{0, 2}, {1, 3}, {2, 6}}));
  EXPECT_EQ(tokens(1), Tokens{});
  EXPECT_EQ(tokens(2), (Tokens{{1, 4}}));
  EXPECT_EQ(tokens(3), (Tokens{{0, 1}, {2, 5}}));
}

}  // namespace
}  // namespace sluice::model
