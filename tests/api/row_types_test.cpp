// Types whose rows have a scale, or are stored together, as sources of whole runs: what comes out is
// what ik_llama.cpp's decoder made of the same rows.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "api/quantize_fixture.h"
#include "sluice/compare.h"
#include "sluice/verify.h"

namespace sluice {
namespace {

constexpr std::uint64_t kRow = 512;

Bytes golden(const std::string& name) {
  std::ifstream file(SLUICE_TEST_DATA "/golden_rows/" + name, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
  return {data, data + bytes.size()};
}

std::set<std::string> golden_types() {
  std::set<std::string> types;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_TEST_DATA "/golden_rows")) {
    types.insert(entry.path().stem().string());
  }
  return types;
}

TEST(RowTypes, AreDecodedVerifiedComparedAndCopied) {
  const TempFolder folder;
  const std::string model = folder / "model.gguf";
  GgufBuilder builder = with_metadata();
  for (const std::string& type : golden_types()) {
    const std::uint64_t rows = golden(type + ".f32").size() / sizeof(float) / kRow;
    const auto number = static_cast<std::uint32_t>(find_tensor_type(type)->type);
    builder.tensor("blk.0." + type + ".weight", {kRow, rows}, number, golden(type + ".bin"));
  }
  write_file(model, builder.build());

  QuantizeOptions decode = options_for(model, folder / "f32.gguf", "F32", true);
  decode.allow_requantize = true;
  decode.memory = least_memory(decode);
  quantize(decode, silent());
  const auto decoded = tensor_data(decode.output, nullptr);
  QuantizeOptions copy = options_for(model, folder / "copy.gguf", "COPY", false);
  quantize(copy, silent());
  const auto copied = tensor_data(copy.output, nullptr);
  for (const std::string& type : golden_types()) {
    const std::string name = "blk.0." + type + ".weight";
    EXPECT_TRUE(decoded.at(name) == golden(type + ".f32")) << type;
    EXPECT_TRUE(copied.at(name) == golden(type + ".bin")) << type;
  }

  for (const std::string& output : {decode.output, copy.output}) {
    VerifyOptions check;
    check.output = output;
    check.against = model;
    EXPECT_TRUE(verify(check, silent()).good()) << output;
  }
  CompareOptions both;
  both.a = model;
  both.b = decode.output;
  for (const auto& tensor : compare(both, silent()).tensors) {
    ASSERT_TRUE(tensor.difference.has_value()) << tensor.name;
    EXPECT_EQ(tensor.difference->error, 0) << tensor.name;
  }
}

}  // namespace
}  // namespace sluice
