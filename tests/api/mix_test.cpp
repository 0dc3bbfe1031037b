// A size in place of a type: the same bytes however often measuring and making were cut off, and what
// the plan holds is what was chosen.

#include "sluice/mix.h"

#include <filesystem>

#include "api/calibrated_fixture.h"
#include "sluice/forecast.h"

namespace sluice::calibrated_tests {
namespace {

/// Stops a run when it has told of its progress so often.
class ProgressStopper final : public Observer {
 public:
  explicit ProgressStopper(std::size_t after) : after_(after) {}
  void progress(const Progress&) override {
    if (++told_ == after_) stop = true;
  }
  std::atomic<bool> stop = false;

 private:
  std::size_t after_;
  std::size_t told_ = 0;
};

class MixTest : public CalibratedTest {
 protected:
  MixTest() {
    options_.file_type = nullptr;
    options_.pure = false;
    options_.target.bpw = 3;
    options_.target.types = {TensorType::iq1_s, TensorType::iq2_xxs, TensorType::iq3_s,
                             TensorType::q5_k};
    uncalibrated_ = options_;
    uncalibrated_.calibration = {};
    uncalibrated_.ignore_imatrix_rules = true;
  }

  std::string kept() const { return measurements_file(options_); }

  QuantizeOptions uncalibrated_;
};

TEST_F(MixTest, GoesOnWhereverItWasStopped) {
  for (const QuantizeOptions& options : {uncalibrated_, options_}) {
    const Bytes expected = made(options);
    std::filesystem::remove(kept());
    const std::size_t runs = runs_until_whole(options, 200, [](std::size_t before) {
      return ProgressStopper(1 + before / 2);  // later runs come further
    });
    EXPECT_GE(runs, 3u);
    EXPECT_TRUE(read_file(options.output) == expected);
    EXPECT_FALSE(std::filesystem::exists(kept() + ".state"));
    std::filesystem::remove(options.output);
    std::filesystem::remove(kept());
  }
}

TEST_F(MixTest, ThePlanIsWhatWasChosen) {
  QuantizeOptions options = uncalibrated_;
  options.split.max_tensors = 7;
  options.edits.pruned_layers = {0};
  options.leave_output = true;
  options.kinds.ffn_down = TensorType::q4_k;
  options.target.bpw = 0;
  options.target.size = 1'000'000;
  for (const Mix mix : {Mix::llama_cpp, Mix::ik_llama_cpp}) {
    options.mix = mix;
    const PlanView view = plan(options);
    ASSERT_TRUE(view.mix);
    ASSERT_EQ(view.mix->tensors.size(), view.tensors.size());
    for (std::size_t i = 0; i < view.tensors.size(); ++i) {
      const TensorChoice& choice = view.mix->tensors[i];
      EXPECT_EQ(choice.name, view.tensors[i].name);
      EXPECT_EQ(choice.types[choice.chosen].type, view.tensors[i].type) << choice.name;
      EXPECT_EQ(choice.types[choice.chosen].bytes, view.tensors[i].size) << choice.name;
      if (choice.name == "output.weight") {
        EXPECT_EQ(view.tensors[i].type, TensorType::f16);
      }
      if (choice.name.find("ffn_down") != std::string::npos) {
        EXPECT_EQ(view.tensors[i].type, TensorType::q4_k);
      }
    }
    EXPECT_EQ(view.mix->bytes, view.output_bytes);
    EXPECT_LE(view.output_bytes, options.target.size);
    EXPECT_GT(view.parts.size(), 1u);
    EXPECT_FALSE(forecast(options).plan.mix->frontier.empty());
  }
}

TEST_F(MixTest, ChoosingAloneIsTheSameChoice) {
  Observer silent;
  const MixChoice choice = choose_mix(options_, silent);
  const PlanView view = plan(options_);
  EXPECT_EQ(choice.bytes, view.mix->bytes);
  EXPECT_EQ(choice.divergence, view.mix->divergence);
  EXPECT_EQ(recipe_text(choice, Mix::llama_cpp), recipe_text(*view.mix, Mix::llama_cpp));
  options_.target = {};
  EXPECT_THROW(choose_mix(options_, silent), Error);
}

}  // namespace
}  // namespace sluice::calibrated_tests
