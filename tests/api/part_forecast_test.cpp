// The time that is foretold for a part of a calibrated output: the model is run from its first layer to the
// part's last one, whoever makes what those before have.

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "api/calibrated_fixture.h"
#include "sluice/forecast.h"

namespace sluice::calibrated_tests {
namespace {

constexpr double kBytes = 2;               // of a weight in F16
constexpr double kNorms = 2 * kWidth * 4;  // bytes of a layer, which are copied as well

class PartForecastTest : public CalibratedTest {
 protected:
  PartForecastTest() {
    options_.split.max_tensors = 1;
    for (const PlannedTensorView& tensor : plan(options_).tensors) {
      std::uint64_t weights = 1;
      for (const std::uint64_t extent : tensor.shape) weights *= extent;
      tensors_.push_back({tensor.name, static_cast<double>(weights)});
    }
  }

  /// The forecast of the part that makes a tensor alone, or of all.
  Forecast forecast_of(const std::string& name = "") {
    const auto found = std::ranges::find(tensors_, name, &Tensor::name);
    options_.share = {};
    if (!name.empty()) {
      options_.share = {static_cast<std::uint32_t>(found - tensors_.begin()) + 1,
                        static_cast<std::uint32_t>(tensors_.size())};
    }
    Forecast seen = forecast(options_, {.measure_s = 0.05});
    // Where cores are scarce, so short a time may end before the first byte is there.
    while (seen.time && seen.time->read_bytes_per_s == 0) {
      seen = forecast(options_, {.measure_s = 0.2});
    }
    EXPECT_TRUE(seen.time && seen.time->calibration) << seen.no_time;
    return seen;
  }

  /// Bytes that the disk reads; input and output are on one.
  static double read_bytes(const Forecast& seen) {
    double written = 0;
    for (const PlannedTensorView& tensor : seen.plan.tensors) {
      written += static_cast<double>(tensor.size);
    }
    return seen.time->disk_s * seen.time->read_bytes_per_s - written;
  }

  /// Weights of the matrices of the first layers.
  double weights_of(std::uint32_t layers) const {
    double weights = 0;
    for (const Tensor& tensor : tensors_) {
      const bool norm = tensor.name.find("norm") != std::string::npos;
      for (std::uint32_t layer = 0; layer < layers; ++layer) {
        if (tensor.name.starts_with("blk." + std::to_string(layer) + ".") && !norm) {
          weights += tensor.weights;
        }
      }
    }
    return weights;
  }

  struct Tensor {
    std::string name;
    double weights;
  };
  std::vector<Tensor> tensors_;
};

// Both in multiplications of one rate: two for each weight and token, and one for each two columns.
TEST_F(PartForecastTest, LayersBeforeThePartAreRun) {
  for (const auto& [name, layers, columns] :
       std::vector<std::tuple<std::string, std::uint32_t, double>>{
           {"blk.0.ffn_down.weight", 1, kFeedForward},
           {"blk.1.attn_q.weight", 2, kWidth},
           {"blk.1.ffn_down.weight", 2, kFeedForward},
           {"output.weight", 2, kWidth}}) {
    const Forecast seen = forecast_of(name);
    ASSERT_EQ(seen.plan.tensors.size(), 1u);
    EXPECT_EQ(seen.plan.tensors.front().name, name);
    EXPECT_NEAR(seen.time->calibration->forward_s / seen.time->calibration->moments_s,
                2 * weights_of(layers) / (columns * columns), 1e-6)
        << name;
  }
}

TEST_F(PartForecastTest, LayersBeforeThePartAreRead) {
  for (const auto& [name, layers] : std::map<std::string, std::uint32_t>{
           {"blk.0.attn_q.weight", 1}, {"blk.1.attn_q.weight", 2}}) {
    EXPECT_NEAR(read_bytes(forecast_of(name)), kBytes * weights_of(layers) + layers * kNorms, 1)
        << name;
  }
}

TEST_F(PartForecastTest, OneRunReadsMatricesOnce) {
  const Forecast seen = forecast_of();
  EXPECT_NEAR(read_bytes(seen), static_cast<double>(seen.plan.input_bytes) + kLayers * kNorms, 1);
}

}  // namespace
}  // namespace sluice::calibrated_tests
