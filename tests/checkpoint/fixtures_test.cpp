// Every tiny checkpoint against what llama.cpp's converter made of it: metadata with their types,
// tensors with shapes and types, and, through an executor of its own, every tensor's bytes.

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/float16.h"
#include "checkpoint/evaluate.h"
#include "checkpoint/fixture.h"

namespace sluice::checkpoint {
namespace {

using nlohmann::json;

std::string sha256(std::span<const std::byte> bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::vector<std::byte> rounded(std::span<const float> weights, const std::string& type) {
  std::vector<std::byte> out;
  for (const float weight : weights) {
    if (type == "F32") {
      const auto bytes = std::as_bytes(std::span(&weight, 1));
      out.insert(out.end(), bytes.begin(), bytes.end());
      continue;
    }
    const std::uint16_t half = type == "F16" ? f32_to_f16(weight) : f32_to_bf16(weight);
    const auto bytes = std::as_bytes(std::span(&half, 1));
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  return out;
}

json value_of(const gguf::Value& value) {
  if (const auto text = value.as_string()) return *text;
  if (const auto truth = value.as_bool()) return *truth;
  if (const auto whole = value.as_int()) return *whole;
  if (const auto number = value.as_float()) return *number;
  if (const auto texts = value.as_strings()) return *texts;
  return value.as_uints().value();
}

std::string type_of(const gguf::Value& value) {
  const auto array = value.as_array();
  return array ? fmt::format("array[{}]", name(array->element)) : std::string(name(value.type));
}

class Fixtures : public ::testing::TestWithParam<std::string> {
 protected:
  // "NAME-bf16": the checkpoint's name, and what the converter was told to write
  const std::string name_ = GetParam().substr(0, GetParam().rfind('-'));
  const bool widened_ = GetParam().ends_with("-f32");
  const json expected_ = json::parse(read_text(kCheckpoints + "expected/" + GetParam() + ".json"));
  const Fixture fixture_{name_};
  const Model model_ = read_checkpoint(fixture_.folder, {});
};

TEST_P(Fixtures, Metadata) {
  std::set<std::string> keys;
  for (const json& pair : expected_["kv"]) {
    const std::string key = pair["key"];
    if (key.starts_with("tokenizer.")) continue;
    keys.insert(key);
    const gguf::Value* const value = model_.header.find(key);
    ASSERT_NE(value, nullptr) << key;
    EXPECT_EQ(type_of(*value), pair["type"]) << key;
    if (key == "general.file_type" && widened_) continue;
    EXPECT_EQ(value_of(*value), pair["value"]) << key;
  }
  for (const gguf::KeyValue& pair : model_.header.metadata) {
    EXPECT_TRUE(keys.erase(pair.key)) << pair.key << " is not expected, or twice";
  }
}

TEST_P(Fixtures, TensorsAndTheirBytes) {
  const Evaluator evaluator(fixture_, model_);
  std::map<std::string, json> expected;
  for (const json& tensor : expected_["tensors"]) expected[tensor["name"]] = tensor;
  ASSERT_EQ(model_.sources.size(), model_.header.tensors.size());
  EXPECT_EQ(model_.header.tensors.size(), expected.size());
  for (std::size_t i = 0; i < model_.sources.size(); ++i) {
    const gguf::Tensor& tensor = model_.header.tensors[i];
    const Source& source = model_.sources[i];
    ASSERT_TRUE(expected.contains(tensor.name)) << tensor.name;
    const json& wanted = expected[tensor.name];
    const std::string type = wanted["type"];
    EXPECT_EQ(json(tensor.shape), wanted["ne"]) << tensor.name;
    if (!widened_) EXPECT_EQ(&info(tensor.type), find_tensor_type(type)) << tensor.name;
    if (tensor.type == TensorType::mxfp4) {
      EXPECT_EQ(sha256(evaluator.mxfp4_blocks(source)), wanted["sha256"]) << tensor.name;
      continue;
    }
    const std::vector<float> weights = evaluator.weights(source);
    ASSERT_EQ(weights.size(), tensor.elements()) << tensor.name;
    if (!wanted.contains("values")) {
      EXPECT_EQ(sha256(rounded(weights, type)), wanted["sha256"]) << tensor.name;
      continue;
    }
    for (std::size_t k = 0; k < weights.size(); ++k) {  // libraries' powers differ in the last bit
      const double value = wanted["values"].at(k);
      EXPECT_NEAR(weights[k], value, 1e-6 * std::abs(value)) << tensor.name;
    }
  }
}

std::vector<std::string> listings() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kCheckpoints + "expected")) {
    names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

INSTANTIATE_TEST_SUITE_P(Each, Fixtures, ::testing::ValuesIn(listings()), [](const auto& listing) {
  std::string name = listing.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace sluice::checkpoint
