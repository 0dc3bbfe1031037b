// What a run does with a checkpoint in place of a GGUF file, beside its weights: edits, splits, and
// what a later run is held against.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "api/observers.h"
#include "api/prepared.h"
#include "sluice/error.h"
#include "sluice/inspect.h"
#include "sluice/options.h"
#include "sluice/quantize.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing_support::read_file;
using testing_support::TempFolder;
using testing_support::write_file;

using Words = std::vector<std::pair<std::string, std::string>>;

class CheckpointRuns : public ::testing::Test {
 protected:
  std::string copy_of(const std::string& name) {
    const std::string path = folder_ / name;
    fs::copy(SLUICE_TEST_DATA "/checkpoints/" + name, path, fs::copy_options::recursive);
    return path;
  }

  QuantizeOptions options_of(const std::string& input, const std::string& type,
                             const Words& words = {}) {
    Options options;
    options.quantize.input = input;
    options.quantize.output = folder_ / "out.gguf";
    options.set("type", type);
    for (const auto& [name, value] : words) options.set(name, value);
    return options.for_quantize();
  }

  std::string quantized(const std::string& input, const std::string& type,
                        const Words& words = {}) {
    Notes notes;
    quantize(options_of(input, type, words), notes);
    return notes.text;
  }

  journal::Binding binding(const std::string& input) {
    QuantizeOptions options = options_of(input, "Q8_0");
    Prepared prepared;
    Observer nobody;
    prepare(options, prepared, nobody);
    return binding_of(options, prepared);
  }

  TempFolder folder_;
  std::string output_ = folder_ / "out.gguf";
};

TEST_F(CheckpointRuns, WhatItsFilesSayMustBeTheSameWhenARunGoesOn) {
  const std::string model = copy_of("llama2_spm");
  const journal::Binding then = binding(model);
  EXPECT_EQ(journal::difference(then, binding(model)).text, "");
  for (const std::string name : {"config.json", "tokenizer.model", "tokenizer_config.json",
                                 "README.md", "model.safetensors.index.json"}) {
    const std::string file = model + "/" + name;
    const auto bytes = read_file(file);
    auto other = bytes;
    other.push_back(std::byte{' '});
    if (name == "tokenizer.model") other = bytes, other[20] ^= std::byte{1};
    write_file(file, other);
    const journal::Difference difference = journal::difference(then, binding(model), true);
    EXPECT_NE(difference.text.find("the input " + file), std::string::npos) << difference.text;
    EXPECT_FALSE(difference.times_only);
    write_file(file, bytes);
  }
  // As they were, but written anew.
  const journal::Difference again = journal::difference(then, binding(model));
  EXPECT_TRUE(again.times_only) << again.text;
  EXPECT_EQ(journal::difference(then, binding(model), true).text, "");
}

TEST_F(CheckpointRuns, AnOutputIsNoneOfItsFiles) {
  const std::string model = copy_of("qwen2");
  for (const char* const name : {"/model.safetensors", "/config.json", "/tokenizer.json"}) {
    const auto bytes = read_file(model + name);
    QuantizeOptions options = options_of(model, "Q8_0");
    options.output = model + name;
    Notes notes;
    try {
      quantize(options, notes);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::output_is_input) << error.what();
    }
    EXPECT_EQ(read_file(model + name), bytes);
  }
}

TEST_F(CheckpointRuns, MetadataCanBeSetAndLayersLeftOut) {
  const std::string model = copy_of("qwen2");
  quantized(model, "BF16", {{"override-kv", "general.name=str:Other"}});
  const Inspection whole = inspect(output_);
  quantized(model, "BF16", {{"override-kv", "general.name=str:Other"}, {"prune-layers", "0"}});
  const Inspection pruned = inspect(output_);
  std::map<std::string, const gguf::Value*> told;
  for (const gguf::KeyValue& pair : pruned.metadata) told[pair.key] = &pair.value;
  EXPECT_EQ(told.at("general.name")->as_string(), "Other");
  EXPECT_EQ(told.at("qwen2.block_count")->as_uint(), 1u);
  EXPECT_EQ(told.at("general.file_type")->as_uint(), 32u);
  // Each of two layers has as many tensors.
  EXPECT_EQ(whole.tensor_count - pruned.tensor_count, 12u);
}

TEST_F(CheckpointRuns, KeptSplitsAreThePartsOfTheCheckpoint) {
  const std::string model = copy_of("mixtral");
  quantized(model, "Q8_0", {{"keep-split", "true"}});
  const Inspection split = inspect(folder_ / "out-00001-of-00002.gguf");
  ASSERT_EQ(split.files.size(), 2u);
  // A tensor is in the file of the part that it begins in.
  std::map<std::string, std::size_t> part_of;
  for (const InspectedTensor& tensor : inspect(model).tensors) part_of[tensor.name] = tensor.file;
  ASSERT_EQ(split.tensors.size(), part_of.size());
  for (const InspectedTensor& tensor : split.tensors) {
    EXPECT_EQ(tensor.file, part_of.at(tensor.name)) << tensor.name;
  }
}

TEST_F(CheckpointRuns, ViaBf16IsOfWeightsThatWouldNotBeBf16Otherwise) {
  const std::string model = copy_of("deepseek_v3_fp8");
  quantized(model, "F32");
  const auto plain = read_file(output_);
  quantized(model, "F32", {{"via", "bf16"}});
  const auto rounded = read_file(output_);
  EXPECT_NE(plain, rounded);
  // BF16 is what the numbers are rounded to in the end anyhow.
  quantized(model, "BF16");
  const auto once = read_file(output_);
  quantized(model, "BF16", {{"via", "bf16"}});
  EXPECT_EQ(read_file(output_), once);
  const std::string gguf = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
  EXPECT_NE(quantized(gguf, "Q8_0", {{"via", "bf16"}}).find("--via has no effect"),
            std::string::npos);
}

TEST_F(CheckpointRuns, PlansTellHowTensorsAreStored) {
  std::map<std::string, std::string> stored;
  const QuantizeOptions options = options_of(copy_of("kimi_k2_int4"), "Q8_0");
  for (const PlannedTensorView& tensor : plan(options).tensors) {
    stored[tensor.name] = tensor.stored_as;
  }
  EXPECT_EQ(stored["blk.1.ffn_down_exps.weight"], "int4 rows");
  EXPECT_EQ(stored["output_norm.weight"], "bf16");
}

}  // namespace
}  // namespace sluice
