// Encoders against the peers' errors on the same rows with the same importance values.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "codec/distortion.h"
#include "sluice/codec.h"

namespace sluice {
namespace {

using testing_support::refit_error;

std::vector<float> read_floats(const std::string& name) {
  std::ifstream file(SLUICE_TEST_DATA "/baselines/" + name, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::vector<float> values(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(values.data()));
  return values;
}

std::vector<TensorType> encodable_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) {
    if (codec.encode != nullptr) types.push_back(codec.type);
  }
  return types;
}

class Baseline : public testing::TestWithParam<std::tuple<TensorType, Effort>> {};

TEST_P(Baseline, RefitErrorIsNoMoreThanTheBetterPeers) {
  const auto [tensor_type, effort] = GetParam();
  std::ifstream file(SLUICE_TEST_DATA "/baselines/errors.json");
  const nlohmann::json peers = nlohmann::json::parse(file)["types"];
  const std::string type(name(tensor_type));
  // Rows are exact in the 16-bit formats or nearly so; the peers have no figure for them.
  const bool lossless = tensor_type == TensorType::f32 || tensor_type == TensorType::f16 ||
                        tensor_type == TensorType::bf16;
  ASSERT_TRUE(lossless || peers.contains(type)) << "no baseline for " << type;
  const Codec* codec = find_codec(tensor_type);

  for (const std::string set : {"synthetic", "trained"}) {
    const std::vector<float> rows = read_floats(set + ".rows.f32");
    const std::vector<float> importance = read_floats(set + ".importance.f32");
    ASSERT_FALSE(rows.empty());
    ASSERT_EQ(rows.size() % importance.size(), 0u);
    const std::size_t row_elements = importance.size();
    std::vector<std::byte> blocks(byte_size(tensor_type, rows.size(), row_elements));
    codec->encode(
        {rows.data(), rows.size() / row_elements, row_elements, importance.data(), effort},
        blocks.data());
    std::vector<float> decoded(rows.size());
    decode_rows(*codec, blocks.data(), decoded.size(), row_elements, decoded.data());

    double bound = 1e-5;
    if (!lossless) {
      bound = 1e9;
      for (const auto& peer : peers[type][set]) {
        bound = std::min(bound, peer["refit"].get<double>());
      }
    }
    const double error = refit_error(rows, decoded, importance);
    RecordProperty(set, std::to_string(error));
    std::printf("%-8s %s %-10s refit %.7f  bound %.7f  ratio to the better peer %.4f\n",
                type.c_str(), std::string(name(effort)).c_str(), set.c_str(), error, bound,
                error / bound);
    EXPECT_LE(error, bound) << set;
    // llama.cpp's scale of Q2_0 is the largest weight, at which half of the range is never used.
    const double least = bound / (tensor_type == TensorType::q2_0 ? 4 : 3);
    EXPECT_GT(error, lossless ? -1.0 : least) << set << ": too good to be true";
  }
}

INSTANTIATE_TEST_SUITE_P(Types, Baseline,
                         testing::Combine(testing::ValuesIn(encodable_types()),
                                          testing::Values(Effort::fast, Effort::best)),
                         [](const auto& test) {
                           return std::string(name(std::get<0>(test.param))) + "_" +
                                  std::string(name(std::get<1>(test.param)));
                         });

}  // namespace
}  // namespace sluice
