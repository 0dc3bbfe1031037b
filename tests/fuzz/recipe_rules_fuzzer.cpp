// Recipes as users write them: rules for types with any regular expression, names of types,
// metadata and layers; and what rules that are accepted make of a small model.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "plan/model_edits.h"
#include "recipe/choose_types.h"
#include "recipe/recipe_text.h"

namespace sluice::fuzzing {
namespace {

/// Runs a parser: what it refuses, it refuses with one clear error.
template <typename Parse>
bool accepts(const Parse& parse) {
  try {
    parse();
    return true;
  } catch (const Error& error) {
    FUZZ_EXPECT(error.code() == ErrorCode::usage);
    FUZZ_EXPECT(!error.context().cure.empty());
    FUZZ_EXPECT(is_safe_to_show(error.what()));
    FUZZ_EXPECT(std::string_view(error.what()).size() < 2000);
    return false;
  }
}

gguf::Header small_model(std::string_view name) {
  gguf::Header model;
  model.metadata = {{"general.architecture", gguf::Value::of("llama")},
                    {"llama.block_count", gguf::Value::of(std::uint32_t{2})}};
  constexpr std::array<std::uint64_t, 3> kRows = {512, 96, 100};
  for (const std::string& each :
       {std::string("token_embd.weight"), std::string("blk.0.attn_q.weight"),
        std::string("blk.1.ffn_down_exps.weight"), std::string("output.weight"),
        std::string("blk.0.ffn_gate_inp.weight"), std::string(name) + ".weight"}) {
    gguf::Tensor tensor;
    tensor.name = each;
    tensor.shape = {kRows[model.tensors.size() % kRows.size()], 4};
    tensor.type = TensorType::f32;
    model.tensors.push_back(std::move(tensor));
  }
  return model;
}

void try_recipe(const RecipeOptions& recipe, const gguf::Header& model) {
  ChosenTypes chosen;
  if (!accepts([&] { chosen = choose_types(recipe, model); })) return;
  FUZZ_EXPECT(chosen.tensors.size() == model.tensors.size());
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const TypeChoice& choice = chosen.tensors[i];
    FUZZ_EXPECT(model.tensors[i].row_elements() % info(choice.type).block_elements == 0);
    FUZZ_EXPECT(!choice.rule.empty());
  }
  for (const std::string& note : chosen.notes) FUZZ_EXPECT(is_safe_to_show(note));
}

void try_text(std::string_view text) {
  accepts([&] { parse_file_type(text, Mix::llama_cpp); });
  accepts([&] { parse_file_type(text, Mix::ik_llama_cpp); });
  accepts([&] { parse_tensor_type(text); });
  accepts([&] {
    const gguf::KeyValue kv = parse_metadata_override(text);
    FUZZ_EXPECT(!kv.key.empty() && is_plain_utf8(kv.key));
  });
  accepts([&] {
    const std::vector<std::uint32_t> layers = parse_layers(text);
    FUZZ_EXPECT(!layers.empty());
    for (std::size_t i = 1; i < layers.size(); ++i) FUZZ_EXPECT(layers[i - 1] < layers[i]);
  });
}

void try_rules(Input input) {
  RecipeOptions recipe;
  recipe.mix = input.below(2) == 0 ? Mix::llama_cpp : Mix::ik_llama_cpp;
  recipe.pure = input.below(2) == 1;
  recipe.file_type = &file_types()[input.below(file_types().size())];
  const std::size_t name_size = input.below(64);
  const auto name = input.take(name_size);
  const auto rest = input.rest();
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  accepts([&] { recipe.tensor_types = parse_tensor_rules(text); });
  accepts([&] { recipe.custom_types = parse_custom_rules(text); });
  for (const auto* rules : {&recipe.tensor_types, &recipe.custom_types}) {
    for (const TypeRule& rule : *rules) FUZZ_EXPECT(!rule.pattern.empty());
  }
  try_recipe(recipe, small_model({reinterpret_cast<const char*>(name.data()), name.size()}));
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 4096;  // as long as any recipe is
  const std::size_t used = std::min(size, kMost);
  sluice::fuzzing::try_text({reinterpret_cast<const char*>(data), used});
  sluice::fuzzing::try_rules({data, used});
  return 0;
}
