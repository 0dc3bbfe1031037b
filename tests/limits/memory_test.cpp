// A tensor of 4 GiB in a memory cgroup of 256 MiB, page cache and all.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

// A cgroup (version 1 or 2) with a memory limit, if we may make one.
class MemoryGroup {
 public:
  static std::optional<std::string> make(std::uint64_t bytes) {
    for (const auto& [root, limit] :
         {std::pair<std::string, std::string>{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
          {"/sys/fs/cgroup", "memory.max"}}) {
      const std::string folder = root + "/sluice-test-" + std::to_string(::getpid());
      if (::access((root + "/cgroup.procs").c_str(), W_OK) != 0) continue;
      std::error_code error;
      if (!fs::create_directory(folder, error)) continue;
      std::ofstream file(folder + "/" + limit);
      file << bytes << std::flush;
      if (file) return folder;
      fs::remove(folder, error);
    }
    return std::nullopt;
  }
};

class Memory : public testing::TestWithParam<std::string> {};

TEST_P(Memory, FourGibibytesInAGroupOf256MiB) {
  const std::optional<std::string> group = MemoryGroup::make(256u << 20);
  if (!group) GTEST_SKIP() << "making a memory cgroup needs root";

  const TempFolder folder;
  const std::string model = folder / "model.gguf";
  constexpr std::uint64_t kExperts = 51;
  constexpr std::uint64_t kBytes = 5120 * 8192 * kExperts * 2;
  GgufBuilder builder;
  builder.string("general.architecture", "llama")
      .u32("llama.block_count", 1)
      .u32("llama.expert_count", kExperts)
      .tensor("blk.0.ffn_up_exps.weight", {5120, 8192, kExperts}, 30, {});
  write_file(model, builder.build());
  fs::resize_file(model, fs::file_size(model) + kBytes);  // a hole: zeros that take no disk

  const std::string report = folder / "report.json";
  const Finished done =
      run({SLUICE_PROGRAM, "quantize", "--pure", "--memory", "128M", "--io", GetParam(), "--report",
           report, model, folder / "out.gguf", "Q8_0", "2"},
          [&] { std::ofstream(*group + "/cgroup.procs") << ::getpid() << std::flush; });
  std::error_code ignored;
  fs::remove(*group, ignored);
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(fs::file_size(folder / "out.gguf") / (1u << 20), kBytes / 64 * 34 / (1u << 20));
  std::ifstream file(report);
  EXPECT_LE(nlohmann::json::parse(file)["peak_anon_bytes"].get<std::uint64_t>(), 128u << 20);
}

INSTANTIATE_TEST_SUITE_P(Modes, Memory, testing::Values("async", "mmap", "read"),
                         [](const auto& test) { return test.param; });

}  // namespace
