// `sluice imatrix --output-format`: the older format of the same sums, whatever happened on the way.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <string>
#include <vector>

#include "cli/imatrix_fixture.h"
#include "support/dat_builder.h"
#include "support/random_families.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

using Words = std::vector<std::string>;

// What the GGUF of a run is in the older format.
Bytes dat_of(const std::string& gguf, int chunk_size, int chunks, const std::string& dataset) {
  const std::map<std::string, std::vector<float>> values = values_of(gguf);
  DatBuilder dat;
  for (const auto& [key, sums] : values) {
    const std::string ending = ".in_sum2";
    if (!key.ends_with(ending)) continue;
    const std::string name = key.substr(0, key.size() - ending.size());
    const std::vector<float>& counts = values.at(name + ".counts");
    const auto calls =
        static_cast<int>(std::ceil(std::ranges::max(counts) / static_cast<float>(chunk_size)));
    std::vector<float> row;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const float count = counts[i / (sums.size() / counts.size())];
      row.push_back((count > 0 ? sums[i] / count : 1.0f) * static_cast<float>(calls));
    }
    dat.entry(name, calls, row);
  }
  return dat.chunks(chunks).dataset(dataset).build();
}

class ImatrixFormat : public Imatrix {
 protected:
  Words with_format(Words words, const std::string& output, const std::string& format) const {
    words.insert(words.end(), {"-o", output, "--output-format", format});
    return words;
  }

  std::ptrdiff_t files() const {
    return std::distance(fs::directory_iterator(fs::path(output_).parent_path()), {});
  }

  const std::string dat_ = folder_ / "out.dat";
  const Words words_ = {kModel, kText, "-c", "64", "--chunks", "3"};
};

TEST_F(ImatrixFormat, TheOlderOneIsMadeOfTheSameSums) {
  const std::string experts = folder_ / "experts.gguf";
  write_file(experts, random_families::qwen3moe());
  const std::string some = ids(80);
  for (const Words& words : {words_, Words{experts, "--calibrate-tokens", some, "-c", "16"}}) {
    ASSERT_EQ(imatrix(with_format(words, output_, "gguf")).status, 0);
    const Finished done = imatrix(with_format(words, dat_, "dat"));
    ASSERT_EQ(done.status, 0) << done.errors;
    const bool few = words[0] == experts;
    EXPECT_TRUE(read_file(dat_) == dat_of(output_, few ? 16 : 64, few ? 5 : 3, few ? some : kText));
    EXPECT_EQ(has(done.errors, "does not tell how many tokens each expert saw"), few);
    // Other threads and another budget.
    Words other = with_format(words, folder_ / "other.dat", "dat");
    other.insert(other.end(), {"--threads", "1", "--memory", "256M"});
    ASSERT_EQ(imatrix(other).status, 0);
    EXPECT_EQ(read_file(folder_ / "other.dat"), read_file(dat_));
  }
  EXPECT_EQ(files(), 5);  // the model, its ids and three matrices
}

// Four calls are no rounding.
TEST_F(ImatrixFormat, AModelMadeWithEitherIsTheSame) {
  Words made;
  for (const std::string format : {"gguf", "dat"}) {
    const std::string matrix = folder_ / ("m." + format);
    ASSERT_EQ(
        imatrix(with_format({kModel, kText, "-c", "64", "--chunks", "4"}, matrix, format)).status,
        0);
    made.push_back(folder_ / format);
    const Finished done = run_program(
        {"quantize", "--hide-imatrix", "--imatrix", matrix, kModel, made.back(), "IQ2_XXS"});
    ASSERT_EQ(done.status, 0) << done.errors;
  }
  EXPECT_EQ(read_file(made[0]), read_file(made[1]));
}

TEST_F(ImatrixFormat, ARunThatWasKilledGoesOnInEither) {
  ASSERT_EQ(imatrix(with_format(words_, output_, "gguf")).status, 0);
  const std::vector<std::byte> gguf = read_file(output_);
  const Bytes dat = dat_of(output_, 64, 3, kText);
  fs::remove(output_);
  const std::string out = folder_ / "out";
  for (const std::string first : {"dat", "gguf"}) {
    for (const std::string second : {"dat", "gguf"}) {
      ASSERT_EQ(run(kill_after_a_layer(with_format(words_, out, first))).status, 128 + 9);
      EXPECT_FALSE(fs::exists(out));
      // As if it had been killed when the older format was half made.
      write_file(out + ".part.dat", std::vector<std::byte>(100));
      const Finished rest = imatrix(with_format(words_, out, second));
      ASSERT_EQ(rest.status, 0) << rest.errors;
      EXPECT_TRUE(has(rest.errors, "going on: ")) << rest.errors;
      EXPECT_TRUE(read_file(out) == (second == "dat" ? dat : gguf)) << first << " " << second;
      EXPECT_EQ(files(), 1);
      fs::remove(out);
    }
  }
}

// The last layer is done when it is found that the model was touched meanwhile; what is left then is
// what a run leaves that is killed when it makes the output.
TEST_F(ImatrixFormat, ARunThatWasCutOffWithAllSumsGoesOn) {
  const std::string model = folder_ / "model.gguf";
  fs::copy(kModel, model);
  const std::string script =
      "model=$1; state=$2; shift 2; \"$@\" & until [ -s $state ]; do sleep 0.005; done; "
      "touch $model; wait $!";
  const Words words = with_format({model, kText, "-c", "64", "--chunks", "3"}, dat_, "dat");
  Words touched = {"bash",         "-c",     script, "bash", model, dat_ + ".part.state",
                   SLUICE_PROGRAM, "imatrix"};
  touched.insert(touched.end(), words.begin(), words.end());
  touched.insert(touched.end(), {"--isa", "portable"});  // the slowest, so that it is in time
  const Finished cut = run(touched);
  ASSERT_TRUE(has(cut.errors, "was modified while it was read")) << cut.errors;
  EXPECT_FALSE(fs::exists(dat_));
  const std::vector<std::string> left = {dat_ + ".part", dat_ + ".part.state"};
  for (const std::string& file : left) fs::copy(file, file + ".kept");
  ASSERT_EQ(imatrix(words).status, 0);
  const std::vector<std::byte> dat = read_file(dat_);
  // And of one that is killed when it has given the output its name.
  for (const std::string& file : left) fs::rename(file + ".kept", file);
  const Finished again = imatrix(words);
  EXPECT_EQ(again.status, 0) << again.errors;
  EXPECT_TRUE(has(again.errors, "going on: 8 of 8 layers are done")) << again.errors;
  EXPECT_EQ(read_file(dat_), dat);
  EXPECT_EQ(files(), 2);
  ASSERT_EQ(imatrix(with_format(words_, output_, "gguf")).status, 0);
  EXPECT_TRUE(dat == dat_of(output_, 64, 3, kText));
}

TEST_F(ImatrixFormat, WhatIsNoRunsOwnIsLeft) {
  const std::string other = dat_ + ".part.dat";
  write_file(other, std::vector<std::byte>(10));
  for (const std::string format : {"dat", "gguf"}) {
    expect_refusal(with_format(words_, dat_, format), 4, "no working file of sluice's");
    expect_refusal(with_format(words_, dat_, format), 4, other);
  }
  EXPECT_EQ(read_file(other), std::vector<std::byte>(10));
  EXPECT_EQ(files(), 1);
  fs::remove(other);
  fs::create_directory(other);
  expect_refusal(with_format(words_, dat_, "dat"), 4, "folder");
  fs::remove(other);
  const std::string text = write_text("out.dat.part.dat", "a text");
  expect_refusal({kModel, text, "-o", dat_, "-c", "3"}, 4, "it is the text, which would be lost");
  EXPECT_EQ(files(), 1);
}

TEST_F(ImatrixFormat, BeginsAnewOverWhatAKilledRunLeft) {
  for (const std::string format : {"gguf", "dat"}) {
    const Words words = with_format(words_, folder_ / "out", format);
    ASSERT_EQ(run(kill_after_a_layer(words)).status, 128 + 9);
    ASSERT_TRUE(fs::exists(folder_ / "out.part"));
    Words anew = words;
    anew.push_back("--restart");
    const Finished done = imatrix(anew);
    EXPECT_EQ(done.status, 0) << done.errors;
    EXPECT_FALSE(has(done.errors, "going on")) << done.errors;
    EXPECT_EQ(files(), 1);
    fs::remove(folder_ / "out");
  }
}

TEST_F(ImatrixFormat, SaysWhatDoesNotGoTogether) {
  expect_refusal(with_format(words_, output_, "dat"), 2, "would be taken for GGUF");
  expect_refusal(with_format(words_, output_, "GGUF"), 2, "'GGUF' is none of gguf, dat");
  EXPECT_EQ(files(), 0);
  const Finished done = imatrix({kModel, kText, "-c", "64", "--chunks", "1", "-o", dat_});
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_TRUE(has(done.errors, "out.dat will be GGUF")) << done.errors;
  EXPECT_TRUE(has(done.errors, "--output-format dat")) << done.errors;
  EXPECT_EQ(values_of(dat_).size(), 8u * 7 * 2);
}

}  // namespace
