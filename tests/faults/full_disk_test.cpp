// The program on real file systems that are full, read-only or promise more than they have: ext4 on
// loop devices and tmpfs. These take root.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "support/needs.h"
#include "support/process.h"
#include "support/temp_folder.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

constexpr std::uint64_t kOutputSize = 1900000;  // a little less than what the program makes

// A file system of its own, unmounted with its owner.
class Mount {
 public:
  explicit Mount(const std::vector<std::string>& options) {
    fs::create_directories(folder_ / "mount");
    std::vector<std::string> words{"mount"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(folder_ / "mount");
    const Finished done = run(words);
    if (done.status != 0) why_not_ = "cannot mount here: " + done.errors;
  }
  ~Mount() {
    if (mounted()) ::umount2((folder_ / "mount").c_str(), MNT_DETACH);
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;

  bool mounted() const { return why_not_.empty(); }
  const std::string& why_not() const { return why_not_; }
  std::string operator/(const std::string& name) const { return folder_ / ("mount/" + name); }

  std::uint64_t free() const {
    struct statvfs status {};
    ::statvfs((*this / ".").c_str(), &status);
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  }

  // Leaves less than `bytes` free.
  void fill_up_to(std::uint64_t bytes) const {
    const int file = ::open((*this / "filler").c_str(), O_WRONLY | O_CREAT, 0600);
    const std::vector<char> zeros(65536);
    while (free() >= bytes && ::write(file, zeros.data(), zeros.size()) > 0) {
    }
    ::fsync(file);
    ::close(file);
  }

 private:
  TempFolder folder_;
  std::string why_not_;
};

// An image with a small ext4 in it, whose space is not set aside.
std::string make_image(const std::string& path, std::uint64_t size) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT, 0600);
  const bool sized = ::ftruncate(file, static_cast<off_t>(size)) == 0;
  ::close(file);
  const Finished done = run({"mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", path});
  return sized && done.status == 0 ? "" : "no ext4 here: " + done.errors;
}

Finished quantize(const std::string& output) {
  return run({SLUICE_PROGRAM, "quantize", "--effort", "fast", "--imatrix",
              SLUICE_TEST_DATA "/imatrix/tiny-llama.imatrix.gguf",
              SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf", output, "IQ1_M"});
}

class FullDisk : public testing::Test {
 protected:
  void expect_older_untouched_by_failure(const Mount& disk, const std::string& text) {
    const std::string output = disk / "out.gguf";
    const Finished done = quantize(output);
    EXPECT_EQ(done.status, 4) << done.errors;
    EXPECT_NE(done.errors.find(output), std::string::npos) << done.errors;
    EXPECT_NE(done.errors.find(text), std::string::npos) << done.errors;
    EXPECT_EQ(read_file(output), older_);
  }

  const std::vector<std::byte> older_ = std::vector<std::byte>(1000, std::byte{7});
};

TEST_F(FullDisk, AFullLoopDeviceIsFoundBeforeWork) {
  const TempFolder folder;
  const std::string problem = make_image(folder / "image", 8 << 20);
  SLUICE_NEEDS(problem.empty(), problem);
  const Mount disk({"-o", "loop", folder / "image"});
  SLUICE_NEEDS(disk.mounted(), disk.why_not());
  write_file(disk / "out.gguf", older_);
  disk.fill_up_to(kOutputSize);
  ASSERT_GT(disk.free(), kOutputSize / 2);
  expect_older_untouched_by_failure(disk, "Free some space");
  fs::remove(disk / "filler");
  const Finished done = quantize(disk / "out.gguf");
  EXPECT_EQ(done.status, 0) << done.errors;
  EXPECT_GT(fs::file_size(disk / "out.gguf"), kOutputSize);
}

TEST_F(FullDisk, RoomForWhatARunGoesOnWithIsFoundBeforeWork) {
  const Mount disk({"-t", "tmpfs", "-o", "size=3m", "tmpfs"});
  SLUICE_NEEDS(disk.mounted(), disk.why_not());
  const std::string output = disk / "out.gguf";
  const auto imatrix = [&](const std::string& context) {
    return run({SLUICE_PROGRAM, "imatrix", SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf",
                SLUICE_TEST_DATA "/model/validation.txt", "-o", output, "--chunks", "8", "-c",
                context});
  };
  const Finished done = imatrix("256");  // a state has 2 MiB, of which there are two
  EXPECT_EQ(done.status, 4) << done.errors;
  EXPECT_NE(done.errors.find("needs 4.0 MiB"), std::string::npos) << done.errors;
  EXPECT_TRUE(fs::is_empty(fs::path(output).parent_path()));
  EXPECT_EQ(imatrix("64").status, 0);
}

TEST_F(FullDisk, AFullTmpfsIsFoundBeforeWork) {
  const Mount disk({"-t", "tmpfs", "-o", "size=4m", "none"});
  SLUICE_NEEDS(disk.mounted(), disk.why_not());
  write_file(disk / "out.gguf", older_);
  disk.fill_up_to(kOutputSize);
  expect_older_untouched_by_failure(disk, "Free some space");
}

// The file system takes the bytes and finds out when it writes them back: only a sync tells.
TEST_F(FullDisk, ADiskThatPromisedMoreThanItHasIsAnError) {
  const Mount outer({"-t", "tmpfs", "-o", "size=2m", "none"});
  SLUICE_NEEDS(outer.mounted(), outer.why_not());
  const std::string problem = make_image(outer / "image", 32 << 20);
  SLUICE_NEEDS(problem.empty(), problem);
  const Mount disk({"-o", "loop", outer / "image"});
  SLUICE_NEEDS(disk.mounted(), disk.why_not());
  write_file(disk / "out.gguf", older_);
  run({"sync", disk / "out.gguf"});
  outer.fill_up_to(kOutputSize / 2);
  ASSERT_GT(disk.free(), 2 * kOutputSize) << "it must promise enough";
  expect_older_untouched_by_failure(disk, "Check the disk");
}

TEST_F(FullDisk, AReadOnlyFileSystemIsFoundBeforeWork) {
  const Mount disk({"-t", "tmpfs", "-o", "size=4m", "none"});
  SLUICE_NEEDS(disk.mounted(), disk.why_not());
  write_file(disk / "out.gguf", older_);
  ASSERT_EQ(run({"mount", "-o", "remount,ro", disk / ""}).status, 0);
  expect_older_untouched_by_failure(disk, "Read-only file system");
}

}  // namespace
