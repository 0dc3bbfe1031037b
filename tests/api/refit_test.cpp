// Files that are made with a second stream, of what the quantized layers make of the text: nearer to the
// model than with the first alone, by a plain calculation in double; the same bytes however they were made.

#include <filesystem>

#include "api/calibrated_fixture.h"
#include "model/reference.h"
#include "sluice/forecast.h"
#include "support/gguf_weights.h"

namespace sluice::calibrated_tests {
namespace {

using model_tests::Reference;
using model_tests::Row;
using testing_support::GgufWeights;

/// Logits after each token of sequences.
std::vector<Row> logits_of(GgufWeights& model, const std::vector<std::int32_t>& ids) {
  std::vector<Row> all;
  for (std::size_t first = 0; first < ids.size(); first += kSequence) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(first);
    const auto some = Reference{.layers = kLayers, .length = 64, .neighbours = true}.calculate(
        model, {begin, begin + kSequence});
    all.insert(all.end(), some.logits.begin(), some.logits.end());
  }
  return all;
}

/// Sum over numbers of squares of their difference, by those of the first.
double error_of(const std::vector<Row>& right, const std::vector<Row>& other) {
  double error = 0;
  double norm = 0;
  for (std::size_t t = 0; t < right.size(); ++t) {
    for (std::size_t i = 0; i < right[t].size(); ++i) {
      const double off = right[t][i] - other[t][i];
      error += off * off;
      norm += right[t][i] * right[t][i];
    }
  }
  return error / norm;
}

class RefitTest : public CalibratedTest {
 protected:
  RefitTest() { options_.calibration.refit = true; }

  void expect_same_after_stops(std::size_t first, std::size_t tensors) {
    const Bytes expected = made(options_);
    const std::size_t runs = runs_until_whole(
        options_, 20, [&](std::size_t before) { return Stopper(before == 0 ? first : tensors); });
    EXPECT_GE(runs, 3u);
    EXPECT_TRUE(read_file(options_.output) == expected);
    EXPECT_FALSE(std::filesystem::exists(options_.output + ".part.state"));
  }
};

class RefitExpertsTest : public RefitTest {
 protected:
  RefitExpertsTest() { write_file(folder_ / "model.gguf", WideModel(4).build()); }
};

TEST_F(RefitTest, LogitsAreNearerThanWithoutASecondStream) {
  const std::vector<std::int32_t> ids = random_ids(kTokens);
  GgufWeights model(WideModel().build());
  GgufWeights refitted(made(options_));
  options_.calibration.refit = false;
  GgufWeights calibrated(made(options_));
  const std::vector<Row> right = logits_of(model, ids);
  EXPECT_LT(error_of(right, logits_of(refitted, ids)),
            0.8 * error_of(right, logits_of(calibrated, ids)));
}

TEST_F(RefitTest, BytesAreTheSameHoweverTheyAreMade) {
  const Bytes expected = made(options_);
  QuantizeOptions other = options_;
  for (const Isa isa : supported_isas()) {
    other.isa = isa;
    other.threads = isa == Isa::portable ? 3 : 1;
    other.memory = isa == Isa::portable ? forecast(other, {.estimate = false}).memory.least
                                        : std::uint64_t{2000} << 20;
    EXPECT_TRUE(made(other) == expected) << name(isa);
  }
  options_.calibration.refit = false;
  EXPECT_FALSE(made(options_) == expected);
}

TEST_F(RefitTest, GoesOnWhereverItWasStopped) {
  expect_same_after_stops(8, 2);
}

TEST_F(RefitExpertsTest, GoesOnWhereverItWasStopped) {
  expect_same_after_stops(11, 3);
}

TEST_F(RefitExpertsTest, BytesAreTheSameHoweverTheyAreMade) {
  const Bytes expected = made(options_);
  options_.threads = 1;
  options_.isa = supported_isas()[supported_isas().size() / 2];
  EXPECT_TRUE(made(options_) == expected);
}

TEST_F(RefitTest, NeedsRoomForAllTokensAtOnce) {
  const std::uint64_t least = forecast(options_, {.estimate = false}).memory.least;
  options_.calibration.refit = false;
  EXPECT_GT(least, forecast(options_, {.estimate = false}).memory.least);
  options_.calibration.refit = true;
  options_.memory = std::uint64_t{8} << 20;
  EXPECT_NE(refusal(options_, ErrorCode::memory_budget).find("the least is"), std::string::npos);
}

TEST_F(RefitTest, AnotherWayDoesNotGoOnWithARun) {
  Stopper stopper(12);
  options_.stop = &stopper.stop;
  EXPECT_THROW(quantize(options_, stopper), Error);
  options_.stop = nullptr;
  options_.calibration.refit = false;
  refusal(options_, ErrorCode::resume_refused);
}

}  // namespace
}  // namespace sluice::calibrated_tests
