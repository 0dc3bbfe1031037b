// A model that is larger than the memory group and wholly cached outside of it: a run takes it from
// there, holds its own bound, and leaves it cached.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "limits/memory_group.h"
#include "support/gguf_builder.h"
#include "support/needs.h"
#include "support/page_cache.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

class CachedInput : public testing::TestWithParam<std::string> {};

/// The kernel takes pages for something else at any time, and DAMON without need; io/PageCache tells
/// which sluice drops. Here it is all of the file or nothing.
constexpr double kMost = 0.95;

TEST_P(CachedInput, IsTakenFromThereAndStays) {
  const MemoryGroup group(96u << 20);
  SLUICE_NEEDS(group.made(), "no right to make a memory cgroup here");
  const TempFolder folder;
  const std::string model = folder / "model.gguf";
  constexpr std::uint64_t kBytes = std::uint64_t{256} << 20;
  write_file(model, GgufBuilder()
                        .string("general.architecture", "llama")
                        .tensor("blk.0.ffn_up.weight", {4096, kBytes / 4096 / 2}, 30, {}, 0)
                        .build());
  fs::resize_file(model, fs::file_size(model) + kBytes);
  for (std::uint64_t at = 0; at < fs::file_size(model); at += 4u << 20) {
    bring_in(model, at, 4u << 20);
  }
  const std::size_t pages = count_cached_pages(model);
  const std::string report = folder / "report.json";
  const Finished done =
      run({SLUICE_PROGRAM, "quantize", "--pure", "--memory", "64M", "--io", GetParam(), "--report",
           report, model, folder / "out.gguf", "Q8_0", "2"},
          [&] { group.enter(); });
  ASSERT_EQ(done.status, 0) << done.errors;
  std::ifstream file(report);
  const auto told = nlohmann::json::parse(file);
  EXPECT_GE(told["cached_bytes"].get<double>(), kMost * told["read_bytes"].get<double>());
  EXPECT_LE(told["peak_anon_bytes"].get<std::uint64_t>(), 64u << 20);
  EXPECT_GE(static_cast<double>(count_cached_pages(model)), kMost * static_cast<double>(pages));
}

INSTANTIATE_TEST_SUITE_P(Modes, CachedInput, testing::Values("auto", "mmap", "read"),
                         [](const auto& test) { return test.param; });

}  // namespace
