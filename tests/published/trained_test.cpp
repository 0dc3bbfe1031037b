// The trained model, turned into a checkpoint, comes back bit for bit.

#include "published/trained.h"

#include "published/output.h"

namespace sluice::published {
namespace {

TEST(Trained, ComesBackBitForBit) {
  const TempFolder folder;
  trained_checkpoint().write(folder / "trained", 2);
  const Output model = read_output(kTrained);
  for (const std::string type : {"F16", "COPY"}) {
    const Output back = make(options_for(folder / "trained", folder / (type + ".gguf"), type));
    expect_same_tensors(back, model);
    for (const gguf::KeyValue& pair : model.header.metadata) {
      if (pair.key == "general.name" || pair.key.ends_with(".add_space_prefix")) continue;
      const gguf::Value* const value = back.header.find(pair.key);
      ASSERT_NE(value, nullptr) << pair.key;
      EXPECT_TRUE(value->type == pair.value.type && value->bytes == pair.value.bytes) << pair.key;
    }
  }
}

// With the importance matrix that belongs to the file.
TEST(Trained, IsQuantizedAsTheFileIs) {
  const TempFolder folder;
  trained_checkpoint().write(folder / "trained", 3);
  const Settings settings = {{"imatrix", SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf"}};
  const auto quantized = [&](const std::string& input, const std::string& type) {
    return make(
        options_for(input, folder / (type + (input == kTrained ? "1" : "2")), type, settings));
  };
  for (const std::string type : {"IQ1_M", "Q4_K_M"}) {
    expect_same_tensors(quantized(folder / "trained", type), quantized(kTrained, type));
  }
}

}  // namespace
}  // namespace sluice::published
