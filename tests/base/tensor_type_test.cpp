#include "sluice/tensor_type.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(TensorTypes, AreFoundByNumberAndName) {
  EXPECT_EQ(find_tensor_type(29u)->type, TensorType::iq1_m);
  EXPECT_EQ(find_tensor_type("IQ1_M")->type, TensorType::iq1_m);
  for (const TensorTypeInfo& type : tensor_types()) EXPECT_TRUE(has_layout(type.type));
}

TEST(TensorTypes, OfOtherProgramsHaveNamesAndSizes) {
  for (const auto& [number, name] : {std::pair(144u, "iq4_ks"), {158u, "iq1_kt"}, {41u, "q1_0"}}) {
    EXPECT_EQ(find_tensor_type(number)->name, name);
    EXPECT_EQ(find_tensor_type(name)->type, static_cast<TensorType>(number));
  }
  EXPECT_FALSE(is_all_blocks(TensorType::iq4_ks)) << "its rows have a scale";
  EXPECT_EQ(row_size(TensorType::iq4_ks, 512), 4u + 2 * 136);
  EXPECT_EQ(byte_size(TensorType::iq4_ks, 3 * 512, 512), 3 * (4u + 2 * 136));
  EXPECT_EQ(byte_size(TensorType::iq4_ks, 512 + 256, 512), 2 * 4u + 3 * 136)
      << "with the scale of the row that is begun";
  EXPECT_EQ(byte_size(TensorType::iq4_ks, 0, 512), 0u);
  EXPECT_TRUE(is_all_blocks(TensorType{41}));
}

TEST(TensorTypes, UnknownNumbersAreNamedByThemselves) {
  EXPECT_EQ(find_tensor_type(77u), nullptr);
  const std::string_view name_of_77 = name(TensorType{77});
  EXPECT_EQ(name(TensorType{0xffffffff}), "#4294967295");
  EXPECT_EQ(name_of_77, "#77") << "it stays";
  EXPECT_FALSE(has_layout(TensorType{77}));
}

}  // namespace
}  // namespace sluice
