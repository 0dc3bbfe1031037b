// The fault disk itself: what it is told to do, it does, and a power cut leaves what it should.

#include "support/fault_disk.h"

#include <gtest/gtest.h>

#include "support/needs.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

class FaultDiskTest : public testing::Test {
 protected:
  void SetUp() override { SLUICE_NEEDS(disk_.mounted(), disk_.why_not()); }

  struct Descriptor {
    Descriptor(const std::string& path, int flags) : value(::open(path.c_str(), flags, 0666)) {}
    ~Descriptor() { ::close(value); }
    operator int() const { return value; }
    int value;
  };

  static void put(int file, const std::string& text, off_t offset = 0) {
    ASSERT_EQ(::pwrite(file, text.data(), text.size(), offset), static_cast<ssize_t>(text.size()));
  }

  std::string contents(const std::string& name) {
    std::ifstream file(disk_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // An older output that is safe.
  void make_safe(const std::string& name, const std::string& text) {
    const Descriptor file(disk_ / name, O_WRONLY | O_CREAT);
    put(file, text);
    ASSERT_EQ(::fsync(file), 0);
    sync_folder();
  }

  void sync_folder() {
    const Descriptor folder(disk_ / ".", O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::fsync(folder), 0);
  }

  void cut_power(const std::string& outcome) {
    disk_.tell("power-off\n");
    EXPECT_FALSE(fs::exists(disk_ / "a", ignored_));
    disk_.tell("power-on " + outcome + "\n");
  }

  FaultDisk disk_;
  std::error_code ignored_;
};

TEST_F(FaultDiskTest, PassesEverythingOn) {
  make_safe("a", "text");
  EXPECT_EQ(contents("a"), "text");
  fs::rename(disk_ / "a", disk_ / "b");
  fs::resize_file(disk_ / "b", 2);
  EXPECT_EQ(contents("b"), "te");
  EXPECT_EQ(std::distance(fs::directory_iterator(disk_ / "."), {}), 1);
  fs::remove(disk_ / "b");
  EXPECT_FALSE(fs::exists(disk_ / "b"));
  EXPECT_GT(disk_.count("write"), 0u);
  EXPECT_EQ(disk_.count("faults"), 0u);
}

TEST_F(FaultDiskTest, FailsTheOperationsThatItIsToldTo) {
  make_safe("a", std::string(100000, 'x'));
  const Descriptor file(disk_ / "a", O_RDWR);
  char byte = 0;
  disk_.tell("on write skip=1 times=2 do EIO\non fsync do ENOSPC\non write at=70000 do EINTR\n");
  put(file, "1");
  EXPECT_EQ(::pwrite(file, "2", 1, 0), -1);
  EXPECT_EQ(errno, EIO);
  EXPECT_EQ(::pwrite(file, "2", 1, 0), -1);
  put(file, "2");
  put(file, "2", 69999);
  EXPECT_EQ(::pwrite(file, "2", 1, 70000), -1);
  EXPECT_EQ(errno, EINTR);
  EXPECT_EQ(::fsync(file), -1);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_EQ(disk_.count("faults"), 4u);
  disk_.tell("clear\non read file=b do EIO\nspace 3\n");
  EXPECT_EQ(::pread(file, &byte, 1, 0), 1) << "another file";
  EXPECT_EQ(::pwrite(file, "12345", 5, 0), 3);
  EXPECT_EQ(::pwrite(file, "12345", 5, 0), -1);
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_THROW(disk_.tell("on read do EVERYTHING\n"), std::runtime_error);
  EXPECT_THROW(disk_.tell("on reed do EIO\n"), std::runtime_error);
}

TEST_F(FaultDiskTest, AFileCanShrinkAndReadsCanBeShort) {
  make_safe("a", std::string(100000, 'x'));
  disk_.tell("no-direct\nshort 10\n");
  EXPECT_LT(Descriptor(disk_ / "a", O_RDONLY | O_DIRECT), 0);
  const Descriptor file(disk_ / "a", O_RDONLY);
  char buffer[100];
  EXPECT_EQ(::pread(file, buffer, 100, 0), 10);
  disk_.tell("on read do shrink:1003\n");
  EXPECT_EQ(::pread(file, buffer, 100, 1000), 3);
  EXPECT_EQ(fs::file_size(disk_ / "a"), 1003u);
}

TEST_F(FaultDiskTest, AfterAPowerCutOnlyTheSafeIsThere) {
  make_safe("a", "old a");
  make_safe("b", "old b");
  {
    const Descriptor file(disk_ / "a", O_WRONLY);
    put(file, "new");
    ASSERT_EQ(::fdatasync(file), 0);
    put(file, "lost and longer", 3);
    const Descriptor other(disk_ / "c", O_WRONLY | O_CREAT);
    put(other, "unnamed");
    ASSERT_EQ(::fsync(other), 0);
    fs::rename(disk_ / "b", disk_ / "d");
    cut_power("data=lost names=lost");
    EXPECT_LT(::pwrite(file, "x", 1, 0), 0) << "opened before the cut";
  }
  EXPECT_EQ(contents("a"), "new a");
  EXPECT_EQ(contents("b"), "old b");
  EXPECT_FALSE(fs::exists(disk_ / "c"));
  EXPECT_FALSE(fs::exists(disk_ / "d"));
}

TEST_F(FaultDiskTest, NamesMayOutliveTheirData) {
  make_safe("a", "old a");
  {
    const Descriptor file(disk_ / "b", O_WRONLY | O_CREAT);
    put(file, "never synced");
  }
  fs::rename(disk_ / "b", disk_ / "a");
  cut_power("data=lost names=kept");
  EXPECT_EQ(contents("a"), "") << "the classic: renamed before its data was safe";
  EXPECT_FALSE(fs::exists(disk_ / "b"));
}

TEST_F(FaultDiskTest, ASyncedFolderKeepsItsNames) {
  make_safe("a", "old a");
  {
    const Descriptor file(disk_ / "b", O_WRONLY | O_CREAT);
    put(file, "new a");
    ASSERT_EQ(::fsync(file), 0);
  }
  fs::rename(disk_ / "b", disk_ / "a");
  sync_folder();
  cut_power("data=lost names=lost");
  EXPECT_EQ(contents("a"), "new a");
  EXPECT_FALSE(fs::exists(disk_ / "b"));
}

TEST_F(FaultDiskTest, AFileRemovedOrCutIsThereAgain) {
  make_safe("a", "old a");
  make_safe("b", "old b");
  fs::remove(disk_ / "a");
  fs::resize_file(disk_ / "b", 1);
  cut_power("data=lost names=lost");
  EXPECT_EQ(contents("a"), "old a");
  EXPECT_EQ(contents("b"), "old b");
  fs::resize_file(disk_ / "b", 1);
  fs::resize_file(disk_ / "b", 3);
  cut_power("data=kept names=lost");
  EXPECT_EQ(contents("b"), std::string("o\0\0", 3));
}

TEST_F(FaultDiskTest, PagesMayBeKeptByACoin) {
  constexpr std::size_t kPages = 64;
  make_safe("a", std::string(kPages * 4096, 'o'));
  {
    const Descriptor file(disk_ / "a", O_WRONLY);
    put(file, std::string(kPages * 4096, 'n'));
  }
  cut_power("data=torn:1 names=lost");
  const std::string left = contents("a");
  ASSERT_EQ(left.size(), kPages * 4096);
  std::size_t kept = 0;
  for (std::size_t page = 0; page < kPages; ++page) {
    const std::string bytes = left.substr(page * 4096, 4096);
    kept += bytes == std::string(4096, 'n');
    EXPECT_TRUE(bytes == std::string(4096, 'n') || bytes == std::string(4096, 'o'));
  }
  EXPECT_GT(kept, kPages / 4);
  EXPECT_LT(kept, kPages * 3 / 4);
}

TEST_F(FaultDiskTest, ThePowerCanFailAtAnOperation) {
  make_safe("a", "old a");
  disk_.tell("on write skip=1 do power-off\n");
  const Descriptor file(disk_ / "a", O_WRONLY);
  put(file, "n");
  EXPECT_LT(::pwrite(file, "n", 1, 1), 0);
  EXPECT_LT(::fsync(file), 0);
  EXPECT_LT(::unlink((disk_ / "a").c_str()), 0) << "nothing happens any more";
  disk_.tell("clear\npower-on data=lost\n");
  EXPECT_EQ(contents("a"), "old a");
}

}  // namespace
