// Published checkpoints of hundreds of gigabytes in a memory cgroup of their budget, page cache and
// all: a run begins at once, and goes on where it was stopped.

#include <gtest/gtest.h>

#include <filesystem>

#include "limits/memory_group.h"
#include "support/needs.h"
#include "support/sparse_checkpoint.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

struct Large {
  const char* name;
  SparseCheckpoint (*make)();
};

void PrintTo(const Large& large, std::ostream* out) {
  *out << large.name;
}

class LargeCheckpoint : public testing::TestWithParam<Large> {
 protected:
  void SetUp() override {
    SLUICE_NEEDS(group_.made(), "no right to make a memory cgroup here");
    SLUICE_NEEDS(mount_large_disk(), "no right to mount a disk here");
    GetParam().make().write(model_);
  }
  void TearDown() override {
    if (mounted_) ::umount2(disk_.c_str(), MNT_DETACH);
  }

  /// Mounts a disk with more space than there is, of which little is used.
  bool mount_large_disk() {
    const std::string image = folder_ / "image";
    std::ofstream{image};
    fs::resize_file(image, std::uint64_t{300} << 30);
    fs::create_directory(disk_);
    mounted_ = run({"mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", image}).status == 0 &&
               run({"mount", "-o", "loop", image, disk_}).status == 0;
    return mounted_;
  }

  /// Lets it run for so many seconds.
  Finished run_for(const std::string& seconds) {
    return run({"timeout", "-s", "INT", seconds, SLUICE_PROGRAM, "quantize", "--memory", "512M",
                "--checkpoint", "1", "--ignore-imatrix-rules", model_, output_, "IQ1_M", "2"},
               [&] { group_.enter(); });
  }

  const MemoryGroup group_{576u << 20};
  const TempFolder folder_;
  const std::string model_ = folder_ / "model";
  const std::string disk_ = folder_ / "disk";
  const std::string output_ = disk_ + "/out.gguf";
  bool mounted_ = false;
};

TEST_P(LargeCheckpoint, BeginsAtOnceInItsMemoryAndGoesOn) {
  constexpr int kStopped = 124;  // what timeout says
  const Finished first = run_for("4");
  EXPECT_EQ(first.status, kStopped) << first.errors;
  EXPECT_TRUE(fs::exists(output_ + ".part.journal")) << first.errors;
  const Finished second = run_for("3");
  EXPECT_EQ(second.status, kStopped) << second.errors;
  EXPECT_NE(second.errors.find("resuming: "), std::string::npos) << second.errors;
}

INSTANTIATE_TEST_SUITE_P(Each, LargeCheckpoint,
                         testing::Values(Large{"deepseek_v3", sparse_deepseek_v3},
                                         Large{"llama4_maverick", sparse_llama4_maverick}),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
