// What sampled rows come to for their tensor.

#include "measure/tensor_sums.h"

#include <gtest/gtest.h>

namespace sluice::measure {
namespace {

TEST(TensorSums, AddUpMatricesByTheirShares) {
  TensorSums sums(10);  // rows of a matrix, of which two or so were looked at
  sums.add({.powers = {1, 3}, .errors = {{TensorType::q4_k, 0.4}}}, 0.25);
  sums.add({.powers = {5, 7}, .errors = {{TensorType::q4_k, 0.8}}}, 0.5);
  TensorMeasures measures{.errors = {{TensorType::q6_k, 0.1}}};
  sums.put_into(measures);
  EXPECT_DOUBLE_EQ(measures.power, 5 * (0.25 * 4 + 0.5 * 12));
  EXPECT_DOUBLE_EQ(measures.errors.at(TensorType::q4_k), 5 * (0.25 * 0.4 + 0.5 * 0.8));
  EXPECT_EQ(measures.errors.at(TensorType::q6_k), 0.1);  // measured before
}

TEST(TensorSums, OfSomeMatricesStandForAll) {
  TensorSums some(2);
  some.add({.powers = {1, 3}, .errors = {{TensorType::q4_k, 0.4}}}, 0.25);
  some.scale_to(1);
  TensorMeasures measures;
  some.put_into(measures);
  EXPECT_DOUBLE_EQ(measures.power, 4);
  EXPECT_DOUBLE_EQ(measures.typical_power, 6);
  EXPECT_DOUBLE_EQ(measures.errors.at(TensorType::q4_k), 0.4);
}

TEST(TensorSums, KnowATypicalRowFromOneFarFromTheOthers) {
  TensorSums sums(1000);
  sums.add({.powers = {1, 1.1, 0.9, 1e6, 1.2, 0.8, 1}}, 1);
  TensorMeasures measures;
  sums.put_into(measures);
  EXPECT_DOUBLE_EQ(measures.typical_power, 1000);
  EXPECT_GT(measures.power, 1e8);
}

}  // namespace
}  // namespace sluice::measure
