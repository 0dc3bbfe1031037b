// Every tiny checkpoint through the library to 16 or 32 bits: the file is what llama.cpp's converter
// makes of it, metadata with their types and the bytes of all tensors.

#include <algorithm>

#include "published/output.h"

namespace sluice::published {
namespace {

/// Pre-tokenizers whose names the converter was told, where the tiny tokenizer's own rules say
/// another.
const std::map<std::string, std::string> kPre = {{"deepseek_v2_lite", "deepseek-llm"},
                                                 {"kimi_k2_int4", "kimi-k2"}};

/// A value as a listing has it.
json listed(const gguf::Value& value, const json& as) {
  if (as.contains("sha256")) {
    json entry = tokenizer::listed(value, as);
    for (const char* const key : {"head", "tail"}) {
      if (as.contains(key)) entry[key] = as[key];
    }
    return entry;
  }
  json entry = {{"key", as["key"]},
                {"type", checkpoint::type_of(value)},
                {"value", checkpoint::value_of(value)}};
  if (as.contains("count")) entry["count"] = value.as_array()->count;
  return entry;
}

void expect_metadata(const gguf::Header& header, const json& listing) {
  std::set<std::string> keys;
  for (const json& entry : listing["kv"]) {
    const std::string key = entry["key"];
    keys.insert(key);
    const gguf::Value* const value = header.find(key);
    ASSERT_NE(value, nullptr) << key;
    EXPECT_EQ(listed(*value, entry), entry);
  }
  for (const gguf::KeyValue& pair : header.metadata) {
    const bool own = pair.key.starts_with("sluice.");  // who made the file, and how
    EXPECT_TRUE(own || keys.contains(pair.key)) << pair.key << " is not expected";
  }
}

void expect_tensors(const Output& output, const json& listing) {
  EXPECT_EQ(output.header.tensors.size(), listing["tensors"].size());
  for (const json& wanted : listing["tensors"]) {
    const std::string name = wanted["name"];
    const auto tensor = std::ranges::find(output.header.tensors, name, &gguf::Tensor::name);
    ASSERT_NE(tensor, output.header.tensors.end()) << name;
    EXPECT_EQ(json(tensor->shape), wanted["ne"]) << name;
    EXPECT_EQ(&info(tensor->type), find_tensor_type(std::string(wanted["type"]))) << name;
    const Bytes& data = output.data.at(name);
    if (!wanted.contains("values")) {
      EXPECT_EQ(checkpoint::sha256(data), wanted["sha256"]) << name;
      continue;
    }
    for (std::size_t i = 0; i < data.size() / sizeof(float); ++i) {
      float value;
      std::memcpy(&value, data.data() + i * sizeof value, sizeof value);
      const double expected = wanted["values"].at(i);
      EXPECT_NEAR(value, expected, 1e-6 * std::abs(expected)) << name;
    }
  }
}

class Converted : public testing::TestWithParam<std::string> {
 protected:
  // "NAME-bf16": the checkpoint's name, and what the converter was told to write
  const std::string checkpoint_ = GetParam().substr(0, GetParam().rfind('-'));
  const std::string type_ = GetParam().substr(GetParam().rfind('-') + 1);
  const json listing_ = checkpoint::read_listing(GetParam());
  const TempFolder folder_;
};

TEST_P(Converted, IsWhatTheConverterMakes) {
  Settings settings;
  if (kPre.contains(checkpoint_)) settings.emplace_back("pre", kPre.at(checkpoint_));
  const Output output = make(
      options_for(checkpoint::kCheckpoints + checkpoint_, folder_ / "out.gguf", type_, settings));
  expect_metadata(output.header, listing_);
  expect_tensors(output, listing_);
}

std::vector<std::string> listings() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(checkpoint::kCheckpoints + "expected")) {
    names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

INSTANTIATE_TEST_SUITE_P(Each, Converted, testing::ValuesIn(listings()), [](const auto& listing) {
  std::string name = listing.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace sluice::published
