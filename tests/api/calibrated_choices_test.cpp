// Which tensors get what with a calibration text, what is refused, and what another run goes on with.

#include <algorithm>
#include <filesystem>

#include "api/calibrated_fixture.h"
#include "codec/preparation.h"
#include "sluice/forecast.h"

namespace sluice::calibrated_tests {
namespace {

namespace fs = std::filesystem;

std::string calibration_of(const PlanView& view, const std::string& name) {
  for (const PlannedTensorView& tensor : view.tensors) {
    if (tensor.name == name) return tensor.calibration;
  }
  return "no such tensor";
}

TEST_F(CalibratedTest, MatricesOfTypesWithAKernelGetFeedback) {
  options_.pure = false;
  options_.tensor_types = {{"ffn_down", TensorType::q5_0}, {"attn_q", TensorType::f16}};
  const PlanView view = plan(options_);
  EXPECT_EQ(calibration_of(view, "blk.1.ffn_up.weight"), "feedback");
  EXPECT_EQ(calibration_of(view, "output.weight"), "feedback");
  EXPECT_EQ(calibration_of(view, "blk.0.ffn_down.weight"), "mean squares");
  EXPECT_EQ(calibration_of(view, "blk.0.attn_q.weight"), "");
  EXPECT_EQ(calibration_of(view, "token_embd.weight"), "");
  EXPECT_EQ(calibration_of(view, "blk.0.attn_norm.weight"), "");
  EXPECT_TRUE(view.missing_importance.empty());
  ASSERT_TRUE(view.calibration);
  EXPECT_EQ(view.calibration->tokens, kTokens);
  EXPECT_EQ(view.calibration->feedback_tensors, 5 * kLayers + 1);
  EXPECT_EQ(view.calibration->mean_squares_tensors, kLayers);
  made(options_);
}

// Row lengths of 256 need half a MiB, of 512 two, with all that encoding takes beside.
TEST_F(CalibratedTest, TheLargestMomentsGiveWayWhereMemoryEnds) {
  const MemoryNeed all = forecast(options_, {.estimate = false}).memory;
  options_.memory = all.least;
  EXPECT_EQ(plan(options_).calibration->mean_squares_tensors, 0u);
  options_.memory = all.least - 1;
  const PlanView view = plan(options_);
  EXPECT_EQ(calibration_of(view, "blk.0.ffn_down.weight"), "mean squares");
  EXPECT_EQ(calibration_of(view, "blk.0.attn_q.weight"), "feedback");
  EXPECT_NE(view.notes.back().find("with --memory"), std::string::npos) << view.notes.back();
  made(options_);
  options_.memory = std::uint64_t{8} << 20;
  EXPECT_NE(refusal(options_, ErrorCode::memory_budget).find("the least is"), std::string::npos);
}

// What a type is prepared with stays, so it counts too.
TEST_F(CalibratedTest, CountsWhatATypeIsPreparedWith) {
  options_.mix = Mix::ik_llama_cpp;
  const auto least = [&](const char* file_type) {
    options_.file_type = find_file_type(file_type);
    return forecast(options_, {.estimate = false}).memory.least;
  };
  // Both take as many bits and as much feedback.
  const std::uint64_t prepared = prepared_bytes(TensorType::iq4_kt);
  EXPECT_GE(least("IQ4_KT") + (std::uint64_t{1} << 20), least("IQ4_KSS") + prepared);
}

TEST_F(CalibratedTest, WhatHasNoEffectWithoutATextIsTold) {
  QuantizeOptions without = options_;
  without.calibration = {.context = 64, .chunks = 2, .scratch = folder_ / "scratch"};
  without.ignore_imatrix_rules = true;
  const std::vector<std::string> notes = plan(without).notes;
  for (const std::string option : {"--calibrate-context", "--calibrate-chunks", "--scratch"}) {
    EXPECT_NE(std::ranges::find(notes, option + " has no effect without --calibrate"), notes.end());
  }
  without.calibration = {};
  for (const std::string& note : plan(without).notes) {
    EXPECT_EQ(note.find("without --calibrate"), note.npos) << note;
  }
}

TEST_F(CalibratedTest, AnotherTextDoesNotGoOnWithARun) {
  Stopper stopper(12);
  options_.stop = &stopper.stop;
  EXPECT_THROW(quantize(options_, stopper), Error);
  options_.stop = nullptr;
  write_ids(folder_ / "others.txt", random_ids(kTokens, 9));
  QuantizeOptions other = options_;
  other.calibration.tokens = folder_ / "others.txt";
  refusal(other, ErrorCode::resume_refused);
  other = options_;
  other.calibration.chunks = 3;
  refusal(other, ErrorCode::resume_refused);
  other = options_;
  other.calibration = {};
  other.ignore_imatrix_rules = true;
  refusal(other, ErrorCode::resume_refused);
}

TEST_F(CalibratedTest, GoesOnWithoutItsStateToo) {
  const Bytes expected = made(options_);
  Stopper stopper(17);  // in the second layer
  options_.stop = &stopper.stop;
  EXPECT_THROW(quantize(options_, stopper), Error);
  ASSERT_TRUE(fs::remove(options_.output + ".part.state"));
  options_.stop = nullptr;
  Stopper again;
  quantize(options_, again);
  EXPECT_TRUE(read_file(options_.output) == expected);
  EXPECT_NE(again.notes.find("run once more"), std::string::npos) << again.notes;
}

TEST_F(CalibratedTest, AStateOfAnOutputThatIsGoneIsNotGoneOnWith) {
  const fs::path state = options_.output + ".part.state";
  fs::create_directories(state / "full");  // cannot be removed as a file
  EXPECT_NE(refusal(options_, ErrorCode::output_open).find(state.filename()), std::string::npos);
  fs::remove_all(state);
  made(options_);
}

TEST_F(CalibratedTest, WhatCannotBeCalibratedIsRefused) {
  QuantizeOptions none = options_;
  none.file_type = find_file_type("Q8_0");
  EXPECT_NE(refusal(none, ErrorCode::usage).find("error feedback"), std::string::npos);
  Bytes other = WideModel().build();
  const std::string_view name = "llama";
  const std::string_view file(reinterpret_cast<const char*>(other.data()), other.size());
  const std::size_t at = file.find(name);
  other[at] = std::byte{'L'};  // of no family that is known
  write_file(folder_ / "other.gguf", other);
  QuantizeOptions unknown = options_;
  unknown.input = folder_ / "other.gguf";
  EXPECT_NE(refusal(unknown, ErrorCode::input_type).find("Llama"), std::string::npos);
}

// Weights in another order and coding are the same weights.
TEST_F(CalibratedTest, ACheckpointBecomesWhatItsGgufDoes) {
  for (const std::string name : {"llama2_spm", "mixtral"}) {
    QuantizeOptions plain;
    plain.input = SLUICE_TEST_DATA "/checkpoints/" + name;
    plain.output = folder_ / (name + ".gguf");
    plain.file_type = find_file_type("F32");
    Observer silent;
    quantize(plain, silent);
    write_ids(folder_ / "ids.txt", std::vector<std::int32_t>(kTokens, 5));
    options_.file_type = find_file_type("IQ4_NL");
    options_.input = plain.output;
    const Bytes of_gguf = made(options_);
    options_.input = plain.input;
    EXPECT_TRUE(made(options_) == of_gguf) << name;
    EXPECT_GT(plan(options_).calibration->feedback_tensors, 5u) << name;
  }
}

class CalibratedExpertsTest : public CalibratedTest {
 protected:
  CalibratedExpertsTest() { write_file(folder_ / "model.gguf", WideModel(4).build()); }
};

// Of 96 tokens each of four experts sees some 48, fewer than any matrix has columns.
TEST_F(CalibratedExpertsTest, EachHasItsOwnMoments) {
  const PlanView view = plan(options_);
  EXPECT_EQ(calibration_of(view, "blk.0.ffn_gate_exps.weight"), "feedback");
  EXPECT_EQ(calibration_of(view, "blk.0.ffn_down_exps.weight"), "feedback");
  EXPECT_EQ(calibration_of(view, "blk.0.ffn_gate_inp.weight"), "");
  Stopper seen;
  quantize(options_, seen);
  EXPECT_NE(seen.notes.find("16 of 16 inputs of experts"), std::string::npos) << seen.notes;
  const Bytes expected = read_file(options_.output);
  options_.threads = 1;
  options_.isa = supported_isas()[supported_isas().size() / 2];
  EXPECT_TRUE(made(options_) == expected);
}

TEST_F(CalibratedExpertsTest, GoesOnBetweenExperts) {
  const Bytes expected = made(options_);
  fs::remove(options_.output);
  Stopper stopper(13);
  options_.stop = &stopper.stop;
  EXPECT_THROW(quantize(options_, stopper), Error);
  options_.stop = nullptr;
  Stopper again;
  quantize(options_, again);
  EXPECT_TRUE(read_file(options_.output) == expected);
}

}  // namespace
}  // namespace sluice::calibrated_tests
