// Sizes that are asked for are met from below, whatever else is asked for; and the recipe of a choice, given
// back, is the same output.

#include <gtest/gtest.h>

#include "recipe/recipe_text.h"
#include "sluice/mix.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

using testing_support::TempFolder;

class MixSizes : public testing::Test {
 protected:
  QuantizeOptions asked() const {
    QuantizeOptions options;
    options.input = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
    options.ignore_imatrix_rules = true;
    options.target.measurements = folder_ / "measurements.json";
    return options;
  }

  /// That the output is as large as asked for, and by how much it may be smaller.
  static void expect_met(QuantizeOptions options, std::uint64_t size, double near = 0.995) {
    options.target.size = size;
    const std::uint64_t bytes = plan(options).output_bytes;
    EXPECT_LE(bytes, size);
    EXPECT_GE(static_cast<double>(bytes), near * static_cast<double>(size)) << size;
  }

  const TempFolder folder_;
};

TEST_F(MixSizes, AreMetFromBelow) {
  for (const std::uint64_t size : {2000000, 2100000, 2345678, 2800000, 3700000, 5000000, 6500000}) {
    expect_met(asked(), size);
  }
}

TEST_F(MixSizes, AreMetOfOddOutputs) {
  QuantizeOptions options = asked();
  options.split.max_bytes = 300000;
  expect_met(options, 2500000);
  options = asked();
  options.edits.pruned_layers = {2, 5};
  expect_met(options, 1800000);
  options = asked();
  options.edits.metadata = {{"general.description", gguf::Value::of(std::string(100000, 'x'))}};
  expect_met(options, 2500000);
  options = asked();
  options.tensor_types = {{"attn_v", TensorType::q6_k}};
  options.output_tensor = TensorType::q8_0;
  options.target.ties = {"ffn_(gate|up)\\."};
  options.target.at_least = {{"attn_k", TensorType::q4_k}};
  options.target.types = {TensorType::iq2_s, TensorType::iq3_s, TensorType::q4_k, TensorType::q5_k};
  expect_met(options, 3300000);
}

TEST_F(MixSizes, ARecipeThatIsGivenBackIsTheSameOutput) {
  Observer nobody;
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    QuantizeOptions options = asked();
    options.mix = mix;
    options.target.bpw = 3;
    const PlanView chosen = plan(options);
    const MixChoice choice = choose_mix(options, nobody);
    QuantizeOptions again = asked();
    again.mix = mix;
    again.file_type = choice.recipe.file_type;
    const std::string text = recipe_text(choice, mix);
    (mix == Mix::llama_cpp ? again.tensor_types : again.custom_types) =
        mix == Mix::llama_cpp ? parse_tensor_rules(text) : parse_custom_rules(text);
    const PlanView given = plan(again);
    ASSERT_EQ(given.tensors.size(), chosen.tensors.size());
    for (std::size_t i = 0; i < given.tensors.size(); ++i) {
      EXPECT_EQ(name(given.tensors[i].type), name(chosen.tensors[i].type)) << given.tensors[i].name;
    }
    EXPECT_EQ(given.output_bytes, chosen.output_bytes);
  }
}

}  // namespace
}  // namespace sluice
