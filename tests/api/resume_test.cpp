// Runs that are stopped and go on: the bytes are those of an undisturbed run.

#include <array>
#include <cmath>
#include <regex>

#include "api/resume_fixture.h"
#include "journal/journal.h"
#include "sluice/forecast.h"

namespace sluice::resume_tests {
namespace {

TEST_F(ResumeTest, GoesOnWhereItWasStopped) {
  ASSERT_TRUE(stop_after(20));
  EXPECT_FALSE(fs::exists(output_));
  ASSERT_TRUE(fs::exists(output_ + ".part"));
  ASSERT_TRUE(fs::exists(output_ + ".part.journal"));
  const IntervalSet done =
      journal::ranges_of(journal::Journal(output_ + ".part.journal").load()->records);
  EXPECT_GT(done.size(), expected_.size() / 3) << "half was made, and most of it must be safe";

  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_FALSE(fs::exists(output_ + ".part"));
  EXPECT_FALSE(fs::exists(output_ + ".part.journal"));
  EXPECT_NE(observer.notes.find("resuming: "), std::string::npos) << observer.notes;
  EXPECT_EQ(report.resumed_bytes, done.size());
  EXPECT_LT(report.read_bytes, fs::file_size(model_) * 3 / 4) << "what was done is not read again";
  EXPECT_EQ(report.tensors.size(), std::size_t{kTensors});
  EXPECT_EQ(observer.last.input_bytes_done, observer.last.input_bytes);
}

TEST_F(ResumeTest, TheTotalErrorIsOfTheTensorsThatThisRunMadeWhole) {
  ASSERT_TRUE(stop_after(10));
  options_.measure_error = true;
  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  std::uint64_t weights = 0, measured = 0;
  double error = 0, power = 0;
  for (const TensorReport& tensor : report.tensors) {
    weights += tensor.shape[0] * tensor.shape[1];
    if (std::isnan(tensor.plain_error)) continue;
    measured += tensor.shape[0] * tensor.shape[1];
    error += tensor.plain_error * tensor.plain_power;
    power += tensor.plain_power;
  }
  ASSERT_TRUE(report.total_error);
  EXPECT_EQ(report.total_error->weights, weights);
  EXPECT_EQ(report.total_error->measured_weights, measured);
  EXPECT_LT(measured, weights);
  EXPECT_GT(measured, 0u);
  EXPECT_NEAR(report.total_error->plain, error / power, 1e-12);
}

TEST_F(ResumeTest, StoppedAgainAndAgainWithOtherBudgetsThreadsAndModes) {
  std::mt19937 random(7);
  int stops = 0;
  for (;; ++stops) {
    options_.threads = 1 + static_cast<int>(random() % 3);
    options_.memory = std::uint64_t{80 + random() % 60} << 20;
    options_.io = std::array{IoMode::plain, IoMode::mmap, IoMode::async}[random() % 3];
    options_.spindle = random() % 2 == 0 ? Spindle::shared : Spindle::separate;
    options_.isa = supported_isas()[random() % supported_isas().size()];
    if (!stop_after(3)) break;
    ASSERT_LT(stops, 40) << "it does not get on";
  }
  EXPECT_GE(stops, 3);
  EXPECT_EQ(read_file(output_), expected_);
}

TEST_F(ResumeTest, RestartBeginsAnew) {
  ASSERT_TRUE(stop_after(10));
  options_.restart = true;
  options_.file_type = find_file_type("Q8_0");
  StoppingObserver observer(0);
  const RunReport report = finish(observer);
  EXPECT_EQ(report.resumed_bytes, 0u);
  EXPECT_FALSE(fs::exists(output_ + ".part.journal"));
  EXPECT_GT(fs::file_size(output_), expected_.size());
}

// In the note, on the line and in the plan; and not less than when it was stopped.
TEST_F(ResumeTest, HowMuchIsDoneIsMeasuredInOneWay) {
  options_.file_type = find_file_type("Q8_0");
  StoppingObserver first(20);
  options_.stop = &first.stop;
  EXPECT_THROW(quantize(options_, first), Error);
  const double planned = forecast(options_, {.estimate = false}).earlier.done_share;
  StoppingObserver second(0);
  finish(second);
  std::smatch told;
  ASSERT_TRUE(std::regex_search(second.notes, told, std::regex("resuming: ([0-9.]+) % done")));
  const auto share = [](std::uint64_t bytes, const Progress& progress) {
    return static_cast<double>(bytes) / static_cast<double>(progress.input_bytes);
  };
  const double resumed = share(second.last.input_bytes_skipped, second.last);
  EXPECT_NEAR(std::stod(told[1]), 100 * resumed, 0.05);
  EXPECT_DOUBLE_EQ(planned, resumed);
  EXPECT_GE(resumed, share(first.last.input_bytes_done, first.last));
}

// Cut off after the output got its name and before the journal went away.
TEST_F(ResumeTest, ACompleteOutputIsNotMadeTwice) {
  ASSERT_TRUE(stop_after(20));
  const std::string journal = output_ + ".part.journal";
  fs::copy_file(journal, folder_ / "saved");
  StoppingObserver observer(0);
  finish(observer);
  // The journal of the whole output, as it was just before its end.
  journal::Journal rest(folder_ / "saved");
  const journal::Contents contents = *rest.load();
  rest.resume(contents);
  IntervalSet done = journal::ranges_of(contents.records);
  while (const auto gap = done.first_gap({0, expected_.size()})) {
    rest.append({.range = *gap});
    done.add(*gap);
  }
  rest.commit();
  fs::copy_file(folder_ / "saved", journal);

  StoppingObserver again(0);
  const RunReport report = finish(again);
  EXPECT_EQ(report.read_bytes, 0u);
  EXPECT_NE(again.notes.find("complete already"), std::string::npos) << again.notes;
  EXPECT_EQ(read_file(output_), expected_);
  EXPECT_FALSE(fs::exists(journal));
  EXPECT_FALSE(fs::exists(output_ + ".part"));
}

TEST_F(ResumeTest, CheckingWhatIsThereCanBeStopped) {
  ASSERT_TRUE(stop_after(20));
  const Bytes journal = read_file(output_ + ".part.journal");
  options_.verify_resume = true;
  std::atomic<bool> stop = true;
  options_.stop = &stop;
  StoppingObserver observer(0);
  try {
    quantize(options_, observer);
    ADD_FAILURE() << "ran to its end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::interrupted);
  }
  EXPECT_EQ(observer.notes.find("resuming"), std::string::npos) << observer.notes;
  EXPECT_EQ(read_file(output_ + ".part.journal"), journal);
}

TEST_F(ResumeTest, TwoRunsOnOneOutputAreNotPossible) {
  class Second : public Observer {
   public:
    explicit Second(QuantizeOptions options) : options_(std::move(options)) {}
    void progress(const Progress&) override {
      if (!message.empty()) return;
      try {
        Observer silent;
        quantize(options_, silent);
        message = "not refused";
      } catch (const Error& error) {
        message = error.what();
      }
    }
    std::string message;

   private:
    QuantizeOptions options_;
  } second(options_);
  quantize(options_, second);
  EXPECT_NE(second.message.find("another run"), std::string::npos) << second.message;
  EXPECT_EQ(read_file(output_), expected_);
}

}  // namespace
}  // namespace sluice::resume_tests
