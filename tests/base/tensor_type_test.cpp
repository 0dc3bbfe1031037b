#include "sluice/tensor_type.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(TensorTypes, AreFoundByNumberAndName) {
  EXPECT_EQ(find_tensor_type(29u)->type, TensorType::iq1_m);
  EXPECT_EQ(find_tensor_type("IQ1_M")->type, TensorType::iq1_m);
  for (const TensorTypeInfo& type : tensor_types()) EXPECT_TRUE(is_all_blocks(type.type));
}

TEST(TensorTypes, OfOtherProgramsHaveNamesAndSizes) {
  for (const auto& [number, name] : {std::pair(144u, "iq4_ks"), {158u, "iq1_kt"}, {41u, "q1_0"}}) {
    EXPECT_EQ(find_tensor_type(number)->name, name);
    EXPECT_EQ(find_tensor_type(name)->type, static_cast<TensorType>(number));
  }
  EXPECT_EQ(info(TensorType{144}).row_bytes, 4u);
  EXPECT_FALSE(is_all_blocks(TensorType{144})) << "its rows have a scale";
  EXPECT_TRUE(is_all_blocks(TensorType{41}));
}

TEST(TensorTypes, UnknownNumbersAreNamedByThemselves) {
  EXPECT_EQ(find_tensor_type(77u), nullptr);
  const std::string_view name_of_77 = name(TensorType{77});
  EXPECT_EQ(name(TensorType{0xffffffff}), "#4294967295");
  EXPECT_EQ(name_of_77, "#77") << "it stays";
  EXPECT_FALSE(is_all_blocks(TensorType{77}));
}

}  // namespace
}  // namespace sluice
