// What a run goes on with must be made of the same input.

#include <array>
#include <chrono>
#include <fstream>

#include "api/resume_fixture.h"

namespace sluice::resume_tests {
namespace {

TEST_F(ResumeTest, WhatItWasMadeFromMustBeTheSame) {
  ASSERT_TRUE(stop_after(10));
  const auto keeps_part = [&] { return fs::exists(output_ + ".part.journal"); };

  options_.file_type = find_file_type("Q5_0");
  EXPECT_NE(refusal().find("other options"), std::string::npos);
  options_.file_type = find_file_type("Q4_0");
  EXPECT_TRUE(keeps_part());

  options_.effort = Effort::fast;
  EXPECT_NE(refusal().find("effort"), std::string::npos);
  options_.effort = Effort::best;

  const fs::file_time_type time = fs::last_write_time(model_);
  fs::last_write_time(model_, time + std::chrono::seconds(1));
  EXPECT_NE(refusal().find("was modified since"), std::string::npos);
  EXPECT_TRUE(keeps_part());

  fs::last_write_time(model_, time);
  options_.same_input = true;  // setting a time is a change too
  StoppingObserver observer(0);
  finish(observer);
  EXPECT_EQ(read_file(output_), expected_);
}

// The control is WhatItWasMadeFromMustBeTheSame: with other data, or without the option, it refuses.
TEST_F(ResumeTest, ACopyThatLostItsTimeIsTheSameInputOnRequest) {
  ASSERT_TRUE(stop_after(20));
  fs::copy_file(model_, folder_ / "copy");
  fs::rename(folder_ / "copy", model_);
  EXPECT_NE(refusal().find("--same-input"), std::string::npos);
  options_.same_input = true;
  ASSERT_TRUE(stop_after(3)) << "goes on";
  options_.same_input = false;  // the journal has the copy's times by now
  StoppingObserver observer(0);
  EXPECT_GT(finish(observer).resumed_bytes, 0u);
  EXPECT_EQ(read_file(output_), expected_);
}

TEST_F(ResumeTest, OtherDataUnderTheSameSizeAndTimeAreNoticed) {
  ASSERT_TRUE(stop_after(10));
  const fs::file_time_type time = fs::last_write_time(model_);
  const auto flip = [&](std::size_t at) {
    std::fstream file(model_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    file.close();
    fs::last_write_time(model_, time);
  };
  // Where no sample is: the time of change tells.
  const std::size_t size = fs::file_size(model_);
  flip(size / 2);  // between the 32nd and the 33rd of 64
  EXPECT_NE(refusal().find("was changed since"), std::string::npos);
  // Where one is, that tells, also to those who say that it is the same.
  flip(size - 100);
  options_.same_input = true;
  EXPECT_NE(refusal().find("other data"), std::string::npos);
}

TEST_F(ResumeTest, AnInputThatIsWrittenToWhileItIsReadIsAnError) {
  class Toucher : public Observer {
   public:
    explicit Toucher(std::string path) : path_(std::move(path)) {}
    void progress(const Progress&) override {
      fs::last_write_time(path_, fs::file_time_type::clock::now() + std::chrono::seconds(5));
    }

   private:
    std::string path_;
  };
  options_.imatrix = folder_ / "imatrix.dat";
  // One entry "a" with one call, one value and the calls behind it.
  const std::array<std::uint32_t, 6> one = {1, 1, 1, 1, 0x3f800000, 1};
  std::vector<std::byte> matrix(std::as_bytes(std::span(one)).begin(),
                                std::as_bytes(std::span(one)).end());
  matrix.insert(matrix.begin() + 8, std::byte{'a'});
  write_file(options_.imatrix, matrix);
  options_.restart = true;
  for (const std::string& input : {model_, options_.imatrix}) {
    Toucher toucher(input);
    try {
      quantize(options_, toucher);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_changed);
      EXPECT_EQ(error.context().file, input);
    }
    EXPECT_FALSE(fs::exists(output_));
  }
}

}  // namespace
}  // namespace sluice::resume_tests
