// What a plan says of disk, memory and time, against what runs find and take.

#include "sluice/forecast.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "sluice/error.h"
#include "support/gguf_builder.h"
#include "support/needs.h"
#include "support/page_cache.h"
#include "support/sparse_model.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::TempFolder;
using testing_support::write_file;

constexpr std::uint64_t kColumns = 1024;
constexpr std::uint64_t kMatrixRows = 700;
constexpr int kModelLayers = 16;

class EarlyStop : public Observer {
 public:
  void tensor_done(const TensorReport&, std::size_t, std::size_t) override {
    if (++done_ == kModelLayers / 2) stop = true;
  }
  std::atomic<bool> stop = false;

 private:
  int done_ = 0;
};

class ForecastTest : public testing::Test {
 protected:
  ForecastTest() {
    write_model(0);
    options_.input = model_;
    options_.output = folder_ / "out.gguf";
    options_.file_type = find_file_type("Q4_0");
    options_.pure = true;
    options_.threads = 2;
    options_.memory = 96u << 20;
    options_.checkpoint_s = 0;
  }

  // BF16 between 0.5 and 2, either sign; or what `bits` says.
  void write_model(std::uint16_t bits) {
    std::mt19937 random(7);
    GgufBuilder builder;
    builder.string("general.architecture", "llama").u32("llama.block_count", kModelLayers);
    for (int i = 0; i < kModelLayers; ++i) {
      std::vector<std::uint16_t> values(kColumns * kMatrixRows, bits);
      if (bits == 0) {
        for (auto& value : values) value = static_cast<std::uint16_t>(0x3f00 | (random() & 0x80ff));
      }
      builder.tensor("blk." + std::to_string(i) + ".ffn_up.weight", {kColumns, kMatrixRows}, 30,
                     testing_support::bytes_of(values));
    }
    builder.tensor("output_norm.weight", {kColumns}, 0, Bytes(kColumns * 4));
    write_file(model_, builder.build());
  }

  Forecast look(bool estimate = false) {
    return forecast(options_, {.estimate = estimate, .measure_s = 0.05});
  }

  const TempFolder folder_;
  const std::string model_ = folder_ / "model.gguf";
  QuantizeOptions options_;
};

TEST_F(ForecastTest, WritesNothingAndPlansAsPlanDoes) {
  const Forecast seen = look(true);
  const PlanView planned = plan(options_);
  ASSERT_EQ(seen.plan.tensors.size(), planned.tensors.size());
  for (std::size_t i = 0; i < planned.tensors.size(); ++i) {
    EXPECT_EQ(seen.plan.tensors[i].type, planned.tensors[i].type);
    EXPECT_EQ(seen.plan.tensors[i].offset, planned.tensors[i].offset);
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(model_).parent_path()), {}), 1);
  EXPECT_FALSE(seen.earlier.found);
  EXPECT_FALSE(seen.spindle.empty());
}

TEST_F(ForecastTest, DiskSpaceIsTheOutputsAndTheFileSystems) {
  const Forecast seen = look();
  Observer silent;
  quantize(options_, silent);
  EXPECT_EQ(seen.disk.needed, fs::file_size(options_.output));
  EXPECT_EQ(seen.disk.allocated, 0u);
  EXPECT_EQ(seen.disk.still_needed(), seen.disk.needed);
  ASSERT_TRUE(seen.disk.free.has_value());
  const double available = static_cast<double>(fs::space(folder_ / "").available);
  EXPECT_NEAR(static_cast<double>(*seen.disk.free), available, 0.2 * available + 1e9);
  EXPECT_TRUE(seen.disk.enough());

  options_.output = folder_ / "none/out.gguf";
  EXPECT_FALSE(look().disk.free.has_value());
  options_.output.clear();
  EXPECT_EQ(look().disk.folder, ".");
}

TEST_F(ForecastTest, AnEarlierRunsWorkAndSpaceCount) {
  EarlyStop observer;
  options_.stop = &observer.stop;
  options_.memory = look().memory.least + (4u << 20);  // so that not all is read by then
  EXPECT_THROW(quantize(options_, observer), Error);
  options_.stop = nullptr;

  Forecast seen = look(true);
  struct stat status {};
  ASSERT_EQ(::stat((options_.output + ".part").c_str(), &status), 0);
  EXPECT_EQ(seen.disk.allocated, static_cast<std::uint64_t>(status.st_blocks) * 512);
  EXPECT_EQ(seen.disk.still_needed(),
            seen.disk.needed - std::min(seen.disk.needed, seen.disk.allocated));
  EXPECT_TRUE(seen.earlier.found);
  EXPECT_EQ(seen.earlier.refused, "");
  ASSERT_TRUE(seen.time.has_value());
  std::uint64_t left = 0;
  for (const ConversionRate& rate : seen.time->conversions) left += rate.weights;

  QuantizeOptions other = options_;
  other.file_type = find_file_type("Q8_0");
  const Forecast refused = forecast(other, {.estimate = false});
  EXPECT_TRUE(refused.earlier.found);
  EXPECT_NE(refused.earlier.refused, "");
  EXPECT_EQ(refused.earlier.done_bytes, 0u);
  other.restart = true;
  EXPECT_FALSE(forecast(other, {.estimate = false}).earlier.found);

  Observer silent;
  const RunReport report = quantize(options_, silent);
  EXPECT_EQ(seen.earlier.done_bytes, report.resumed_bytes);
  EXPECT_GT(report.resumed_bytes, 0u);
  // Chunks that are done in part are made again whole: here less than a tensor.
  EXPECT_LE(left, report.weights + kColumns);
  EXPECT_GE(left + kMatrixRows * kColumns, report.weights);
}

TEST_F(ForecastTest, TheLeastBudgetDoesAndLessDoesNot) {
  options_.memory_of_process = true;
  const Forecast seen = look();
  EXPECT_TRUE(seen.memory.enough());
  EXPECT_EQ(seen.memory.threads, 2);
  EXPECT_LE(seen.memory.most, options_.memory);
  constexpr std::uint64_t kMiB = 1 << 20;
  Observer silent;
  options_.memory = seen.memory.least + 2 * kMiB;  // what the process holds by now counts too
  const RunReport report = quantize(options_, silent);
  EXPECT_LE(report.peak_anon_bytes, options_.memory);
  options_.memory = seen.memory.least - 2 * kMiB;
  EXPECT_FALSE(look().memory.enough());
  try {
    quantize(options_, silent);
    FAIL() << "must be refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::memory_budget);
  }
}

TEST_F(ForecastTest, TheEstimateHasEveryConversionAndAddsUp) {
  options_.file_type = find_file_type("IQ1_M");
  options_.ignore_imatrix_rules = true;
  options_.pure = false;
  const Forecast seen = look(true);
  ASSERT_TRUE(seen.time.has_value()) << seen.no_time;
  std::map<std::pair<TensorType, TensorType>, std::uint64_t> weights;
  for (const PlannedTensorView& tensor : seen.plan.tensors) {
    std::uint64_t elements = 1;
    for (const std::uint64_t extent : tensor.shape) elements *= extent;
    weights[{tensor.source, tensor.type}] += elements;
  }
  EXPECT_EQ(seen.time->conversions.size(), weights.size());
  double cores_s = 0;
  for (const ConversionRate& rate : seen.time->conversions) {
    EXPECT_EQ((weights[{rate.source, rate.type}]), rate.weights);
    EXPECT_GT(rate.weights_per_s, 0);
    cores_s += static_cast<double>(rate.weights) / rate.weights_per_s;
  }
  EXPECT_NEAR(seen.time->cores_s, cores_s, 1e-9 * cores_s);
  EXPECT_GT(seen.time->read_bytes_per_s, 0);
  // Both are in one folder: what is read and what is written add up.
  const double moved = static_cast<double>(seen.plan.input_bytes + seen.plan.output_bytes);
  EXPECT_NEAR(seen.time->disk_s * seen.time->read_bytes_per_s, moved, 1e-2 * moved);
  EXPECT_EQ(seen.time->seconds, std::max(seen.time->cores_s, seen.time->disk_s));
  EXPECT_EQ(seen.time->limit, seen.time->disk_s > seen.time->cores_s ? Limit::disk : Limit::cores);
  EXPECT_EQ(look().time, std::nullopt);
}

TEST_F(ForecastTest, NothingThatIsMeasuredCanFailThePlan) {
  constexpr std::uint16_t kNaN = 0x7fc0;
  write_model(kNaN);
  Forecast seen = look(true);
  ASSERT_TRUE(seen.time.has_value());
  EXPECT_GT(seen.time->conversions.at(0).weights_per_s, 0);
  // The smallest model there is: one row.
  write_file(model_, GgufBuilder()
                         .string("general.architecture", "llama")
                         .tensor("a", {32, 1}, 1, Bytes(64))
                         .build());
  seen = look(true);
  ASSERT_TRUE(seen.time.has_value());
  EXPECT_EQ(seen.time->read_bytes_per_s, 0) << "too small to measure with";
}

TEST_F(ForecastTest, ThePageCacheStaysAsItIs) {
  SLUICE_NEEDS(testing_support::forget(model_),
               "the temporary folder's file system keeps files in memory");
  look(true);
  // The header's first megabyte, and what the kernel reads ahead of it.
  EXPECT_LT(testing_support::count_cached_pages(model_), std::size_t{(3 << 20) / 4096});
  // And what is cached stays so: the whole file, read the plain way. A kernel that takes pages which
  // nobody has read for a while may have had a few of them.
  testing_support::read_file(model_);
  const std::size_t before = testing_support::count_cached_pages(model_);
  look(true);
  EXPECT_GE(testing_support::count_cached_pages(model_), before / 20 * 19);
}

TEST_F(ForecastTest, EightHundredGigabytesAreAllTheSame) {
  const std::uint64_t size = testing_support::write_sparse_model(model_, "llama-4-maverick");
  EXPECT_GT(size, 800e9);
  options_.file_type = find_file_type("IQ1_M");
  options_.pure = false;
  const Forecast seen = look(true);
  EXPECT_GT(seen.plan.weights, 400e9);
  EXPECT_FALSE(seen.plan.missing_importance.empty());
  ASSERT_TRUE(seen.time.has_value());
  EXPECT_GT(seen.time->cores_s, 0);
  EXPECT_TRUE(seen.memory.enough());
}

}  // namespace
}  // namespace sluice
