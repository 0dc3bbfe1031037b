#pragma once

// A model against a listing of what llama.cpp's converter made of a checkpoint.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <map>
#include <set>

#include "base/float16.h"
#include "checkpoint/evaluate.h"
#include "checkpoint/fixture.h"

namespace sluice::checkpoint {

using nlohmann::json;

inline std::string sha256(std::span<const std::byte> bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

inline std::vector<std::byte> rounded(std::span<const float> weights, const std::string& type) {
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

inline json value_of(const gguf::Value& value) {
  if (const auto text = value.as_string()) return *text;
  if (const auto truth = value.as_bool()) return *truth;
  if (const auto whole = value.as_int()) return *whole;
  if (const auto number = value.as_float()) return *number;
  if (const auto texts = value.as_strings()) return *texts;
  if (const auto array = value.as_array(); array && array->element == gguf::ValueType::boolean) {
    json truths = json::array();
    for (const gguf::Value& each : value.elements(array->count)) truths.push_back(*each.as_bool());
    return truths;
  }
  return value.as_uints().value();
}

inline std::string type_of(const gguf::Value& value) {
  const auto array = value.as_array();
  return array ? fmt::format("array[{}]", name(array->element)) : std::string(name(value.type));
}

/// \param name  as in "qwen2-bf16"
inline json read_listing(const std::string& name) {
  return json::parse(read_text(kCheckpoints + "expected/" + name + ".json"));
}

/// \param left_out  keys that are not compared, beside the vocabulary's
inline void expect_metadata(const Model& model, const json& listing,
                            const std::set<std::string>& left_out = {}) {
  std::set<std::string> keys;
  for (const json& pair : listing["kv"]) {
    const std::string key = pair["key"];
    if (key.starts_with("tokenizer.") || left_out.contains(key)) continue;
    keys.insert(key);
    const gguf::Value* const value = model.header.find(key);
    ASSERT_NE(value, nullptr) << key;
    EXPECT_EQ(type_of(*value), pair["type"]) << key;
    EXPECT_EQ(value_of(*value), pair["value"]) << key;
  }
  for (const gguf::KeyValue& pair : model.header.metadata) {
    EXPECT_TRUE(keys.erase(pair.key) || left_out.contains(pair.key))
        << pair.key << " is not expected, or twice";
  }
}

/// \param same_types  or the listing's are wider, as the converter was told
inline void expect_tensors(const Fixture& fixture, const Model& model, const json& listing,
                           bool same_types = true) {
  const Evaluator evaluator(fixture, model);
  std::map<std::string, json> expected;
  for (const json& tensor : listing["tensors"]) expected[tensor["name"]] = tensor;
  ASSERT_EQ(model.weights.sources.size(), model.header.tensors.size());
  EXPECT_EQ(model.header.tensors.size(), expected.size());
  for (std::size_t i = 0; i < model.weights.sources.size(); ++i) {
    const gguf::Tensor& tensor = model.header.tensors[i];
    const Source& source = model.weights.sources[i];
    ASSERT_TRUE(expected.contains(tensor.name)) << tensor.name;
    const json& wanted = expected[tensor.name];
    const std::string type = wanted["type"];
    EXPECT_EQ(json(tensor.shape), wanted["ne"]) << tensor.name;
    if (same_types) {
      EXPECT_EQ(&info(tensor.type), find_tensor_type(type)) << tensor.name;
    }
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

}  // namespace sluice::checkpoint
