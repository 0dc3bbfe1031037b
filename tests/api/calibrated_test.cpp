// Files that are made with a calibration text: nearer to the model than others, under the inputs that a
// plain calculation in double finds; the same bytes however they were made.

#include <map>

#include "api/calibrated_fixture.h"
#include "model/reference.h"
#include "sluice/codec.h"
#include "support/gguf_weights.h"

namespace sluice::calibrated_tests {
namespace {

using model_tests::Calculated;
using model_tests::Reference;
using model_tests::Row;
using testing_support::GgufWeights;

/// What a plain calculation multiplies matrices by, over all sequences.
std::map<std::string, std::vector<Row>> inputs_of(GgufWeights& model,
                                                  const std::vector<std::int32_t>& ids) {
  std::map<std::string, std::vector<Row>> all;
  for (std::size_t first = 0; first < ids.size(); first += kSequence) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(first);
    const Calculated some =
        Reference{.layers = kLayers, .length = 64, .neighbours = true}.calculate(
            model, {begin, begin + kSequence});
    for (const auto& [name, rows] : some.inputs) {
      all[name].insert(all[name].end(), rows.begin(), rows.end());
    }
  }
  return all;
}

/// Sum over inputs x of |W x - Q x|^2, by |W x|^2.
double error_under(const std::vector<Row>& inputs, const std::vector<float>& w,
                   const std::vector<float>& q) {
  double error = 0;
  double norm = 0;
  for (const Row& x : inputs) {
    for (std::size_t row = 0; row < w.size(); row += x.size()) {
      double right = 0;
      double off = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        right += x[i] * w[row + i];
        off += x[i] * (w[row + i] - q[row + i]);
      }
      norm += right * right;
      error += off * off;
    }
  }
  return error / norm;
}

TEST_F(CalibratedTest, ProductsAreNearerThanWithTheInputsMeanSquaresAlone) {
  GgufWeights model(WideModel().build());
  const auto inputs = inputs_of(model, random_ids(kTokens));
  GgufWeights calibrated(made(options_));
  QuantizeOptions plain = options_;
  plain.calibration = {};
  plain.ignore_imatrix_rules = true;
  GgufWeights other(made(plain));
  for (const auto& [name, rows] : inputs) {
    const std::vector<float> weights = model.numbers(name);
    const double error = error_under(rows, weights, calibrated.numbers(name));
    const double without = error_under(rows, weights, other.numbers(name));
    EXPECT_LT(error, 0.6 * without) << name;
  }
  EXPECT_EQ(inputs.size(), 7 * kLayers + 1);
}

TEST_F(CalibratedTest, BytesAreTheSameHoweverTheyAreMade) {
  const Bytes expected = made(options_);
  QuantizeOptions other = options_;
  for (const Isa isa : supported_isas()) {
    other.isa = isa;
    other.threads = isa == Isa::portable ? 3 : 1;
    other.memory = (isa == Isa::portable ? std::uint64_t{100} : 2000) << 20;
    other.io = isa == Isa::avx2 ? IoMode::mmap : IoMode::automatic;
    EXPECT_TRUE(made(other) == expected) << name(isa);
  }
  write_ids(folder_ / "ids.txt", random_ids(kTokens, 8));
  EXPECT_FALSE(made(options_) == expected);
}

TEST_F(CalibratedTest, GoesOnWhereverItWasStopped) {
  const Bytes expected = made(options_);
  // Norms and the embedding come first, six tensors; then a run is stopped after every one, two or
  // five.
  for (const std::size_t tensors : {1U, 2U, 5U}) {
    const std::size_t runs = runs_until_whole(
        options_, 20, [&](std::size_t before) { return Stopper(tensors + (before == 0 ? 6 : 0)); });
    EXPECT_GE(runs, 15 / tensors);
    EXPECT_TRUE(read_file(options_.output) == expected) << tensors;
    EXPECT_FALSE(std::filesystem::exists(options_.output + ".part.state"));
    std::filesystem::remove(options_.output);
  }
}

}  // namespace
}  // namespace sluice::calibrated_tests
