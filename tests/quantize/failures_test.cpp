// Weights that are no numbers, in matrices that are gathered: the error names them, and nobody waits
// for what does not come.

#include <limits>
#include <thread>

#include "conversion.h"
#include "sluice/error.h"
#include "support/temp_folder.h"
#include "wide_experts.h"

namespace sluice {
namespace {

using testing_support::TempFolder;

constexpr const char* kGateUp = "language_model.model.layers.1.feed_forward.experts.gate_up_proj";

Error refusal(Conversion& conversion, const Way& way) {
  try {
    conversion.run(way);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::usage, "nothing was refused");
}

std::uint64_t place_of(const Plan& plan, const std::string& name) {
  for (const weights::Stored& stored : plan.weights->stored) {
    if (stored.name == name) return stored.place.offset;
  }
  ADD_FAILURE() << "no " << name;
  return 0;
}

TEST(BadWeights, InATransposedExpertAreNamed) {
  checkpoint::Synthetic model = wide_experts();
  // Expert 1, column 300 of row 200 of what is behind gate: up.
  const std::uint64_t element = (kWideRow + 300) * 2 * kWideInside + kWideInside + 200;
  const std::uint16_t infinity = 0x7f80;
  std::memcpy(&model.tensors.at(kGateUp).bytes[2 * element], &infinity, sizeof infinity);
  const TempFolder folder;
  model.write(folder / "m");
  Conversion conversion(folder / "m", "Q8_0");
  for (const std::uint64_t unit : {0, 1 << 23}) {
    for (const int threads : {1, 2, 4}) {
      for (int again = 0; again < 5; ++again) {
        const Error error = refusal(conversion, {.unit_bytes = unit, .threads = threads});
        ASSERT_EQ(error.code(), ErrorCode::input_value) << error.what();
        EXPECT_EQ(error.context().tensor, "blk.1.ffn_up_exps.weight");
        EXPECT_EQ(error.context().file, folder / "m/model.safetensors");
        EXPECT_EQ(error.context().offset, place_of(conversion.plan(), kGateUp) + 2 * element);
        EXPECT_NE(std::string(error.what()).find("infinity at row 200, column 300 of expert 1"),
                  std::string::npos)
            << error.what();
      }
    }
  }
}

TEST(BadWeights, OfABadFactorAreThose) {
  checkpoint::Synthetic model("deepseek_v3_fp8");
  const std::string name = "model.layers.0.mlp.down_proj.weight";
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(&model.tensors.at(name + "_scale_inv").bytes[4], &nan, sizeof nan);
  const TempFolder folder;
  model.write(folder / "m");
  Conversion conversion(folder / "m", "Q8_0");
  const Error error = refusal(conversion, {.threads = 1});
  EXPECT_EQ(error.code(), ErrorCode::input_value);
  EXPECT_NE(std::string(error.what()).find("a scale that is NaN, at row 0, column 128"),
            std::string::npos)
      << error.what();
  const weights::Stored* found = nullptr;
  for (const weights::Stored& stored : conversion.plan().weights->stored) {
    if (stored.name == name) found = &stored;
  }
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(error.context().offset, found->scales->place.offset + 4);
}

// While the reader waits for a buffer, too.
TEST(Stop, EndsARunWithMatrices) {
  const TempFolder folder;
  wide_experts().write(folder / "m");
  Conversion conversion(folder / "m", "IQ1_M");
  for (int delay = 0; delay < 20; ++delay) {
    std::atomic<bool> stop = false;
    std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(delay));
      stop = true;
    });
    const Error error = refusal(conversion, {.threads = 1 + delay % 3, .stop = &stop});
    EXPECT_TRUE(error.code() == ErrorCode::interrupted || error.code() == ErrorCode::usage)
        << error.what();
  }
}

TEST(Stop, IsSeenByTheEncoderOfWhatIsReadAlready) {
  const TempFolder folder;
  wide_experts().write(folder / "m");
  Conversion conversion(folder / "m", "IQ1_M");
  const std::atomic<bool> stop = true;
  const Error error = refusal(conversion, {.stop = &stop, .reader_stops = false});
  EXPECT_EQ(error.code(), ErrorCode::interrupted) << error.what();
}

}  // namespace
}  // namespace sluice
