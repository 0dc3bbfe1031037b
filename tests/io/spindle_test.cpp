// Which disks hold the files, on made-up machines: a sysfs tree and a mount table in a folder.

#include "io/spindle.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "support/needs.h"
#include "support/temp_folder.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;
using testing_support::TempFolder;

class SpindleTest : public testing::Test {
 protected:
  SpindleTest() {
    fs::create_directories(sysfs() / "dev/block");
    fs::create_directories(sysfs() / "class/block");
    std::ofstream(system_.mountinfo);
  }

  fs::path sysfs() const { return system_.sysfs; }

  static void write(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text << "\n";
  }

  // A device's folder, with the links by number and by name that lead to it.
  fs::path add(const fs::path& folder, dev_t number) {
    fs::create_directories(folder);
    fs::create_directory_symlink(
        folder, sysfs() / "dev/block" /
                    (std::to_string(major(number)) + ":" + std::to_string(minor(number))));
    fs::create_directory_symlink(folder, sysfs() / "class/block" / folder.filename());
    return folder;
  }

  fs::path disk(const std::string& name, dev_t number, bool rotates) {
    const fs::path folder = add(sysfs() / "devices/block" / name, number);
    write(folder / "queue/rotational", rotates ? "1" : "0");
    fs::create_directories(folder / "slaves");
    return folder;
  }

  void on(const fs::path& device, const fs::path& slave) {
    fs::create_directory_symlink(slave, device / "slaves" / slave.filename());
  }

  void mount(const std::string& point, const std::string& source) {
    std::ofstream(system_.mountinfo, std::ios::app)
        << "36 35 0:99 / " << point << " rw,noatime master:1 - anyfs " << source
        << " rw,errors=x\n";
  }

  SpindleDecision decide(const std::vector<Place>& inputs, const Place& output) const {
    return decide_spindle_of(inputs, output, system_);
  }

  TempFolder folder_;
  const SystemPaths system_{folder_ / "sys", folder_ / "mountinfo"};
};

TEST_F(SpindleTest, PartitionsOfOneRotatingDiskShareIt) {
  const fs::path sda = disk("sda", makedev(8, 0), true);
  add(sda / "sda1", makedev(8, 1));
  add(sda / "sda2", makedev(8, 2));
  disk("sdb", makedev(8, 16), true);
  const SpindleDecision shared =
      decide({{"/b/part1", makedev(8, 16)}, {"/a/part2", makedev(8, 1)}}, {"/c", makedev(8, 2)});
  EXPECT_TRUE(shared.shared);
  EXPECT_EQ(shared.reason, "input and output are on the same rotating disk (sda)");
  const SpindleDecision apart = decide({{"/a/in", makedev(8, 1)}}, {"/b", makedev(8, 16)});
  EXPECT_FALSE(apart.shared);
  EXPECT_EQ(apart.reason, "input on sda, output on sdb");
}

TEST_F(SpindleTest, ADiskThatDoesNotRotateIsNotShared) {
  disk("nvme0n1", makedev(259, 0), false);
  const SpindleDecision decision = decide({{"/a/in", makedev(259, 0)}}, {"/a", makedev(259, 0)});
  EXPECT_FALSE(decision.shared);
  EXPECT_EQ(decision.reason, "disk nvme0n1 does not rotate");
}

// What hosts tell their virtual machines, or say nothing of, is often that a disk rotates.
TEST_F(SpindleTest, AVirtualDiskIsBelievedIfItsSeeksAreSlow) {
  const fs::path virtio = sysfs() / "devices/pci0000:00/virtio1/block/vda";
  add(virtio, makedev(252, 0));
  write(virtio / "queue/rotational", "1");
  fs::create_directories(virtio / "slaves");
  write(disk("sda", makedev(8, 0), true) / "device/vendor", "QEMU");
  disk("sdb", makedev(8, 16), true);
  for (const auto& [number, name] : {std::pair{makedev(252, 0), "vda"}, {makedev(8, 0), "sda"}}) {
    const SpindleDecision told = decide({{"/in", number}}, {"/out", number});
    EXPECT_TRUE(told.shared);
    EXPECT_EQ(told.virtual_disk, name);
    EXPECT_TRUE(with_seeks(told, 0.009).shared);
    EXPECT_EQ(with_seeks(told, 0.009).reason, told.reason + ", which seeks in 9 ms");
    EXPECT_FALSE(with_seeks(told, std::nullopt).shared) << "not seen, not believed";
    const SpindleDecision seen = with_seeks(told, 0.0002);
    EXPECT_FALSE(seen.shared);
    EXPECT_EQ(seen.reason,
              "virtual disk " + std::string(name) + " says that it rotates, but seeks in 0.2 ms");
  }
  const SpindleDecision real = decide({{"/in", makedev(8, 16)}}, {"/out", makedev(8, 16)});
  EXPECT_TRUE(with_seeks(real, 0.0002).shared) << "a disk of its own is believed";
}

TEST_F(SpindleTest, StackedDevicesAreFollowedToTheirDisks) {
  const fs::path sda = disk("sda", makedev(8, 0), true);
  const fs::path sda1 = add(sda / "sda1", makedev(8, 1));
  const fs::path sdb = disk("sdb", makedev(8, 16), true);
  disk("sdc", makedev(8, 32), true);
  const fs::path md = disk("md0", makedev(9, 0), false);  // what it says itself does not count
  on(md, sda1);
  on(md, sdb);
  on(disk("dm-0", makedev(252, 0), false), md);
  const Place volume{"/lvm", makedev(252, 0)};
  EXPECT_EQ(decide({volume}, {"/b", makedev(8, 16)}).reason,
            "input and output are on the same rotating disk (sdb)");
  EXPECT_TRUE(decide({{"/a/in", makedev(8, 1)}}, volume).shared);
  EXPECT_EQ(decide({volume}, {"/c", makedev(8, 32)}).reason, "input on sda and sdb, output on sdc");
}

TEST_F(SpindleTest, ALoopDeviceIsOnTheDiskOfItsFile) {
  const std::string image = folder_ / "image";
  std::ofstream{image};
  struct stat status {};
  ASSERT_EQ(::stat(image.c_str(), &status), 0);
  SLUICE_NEEDS(major(status.st_dev) != 0, "temporary files are on no block device here");
  disk("sda", status.st_dev, true);
  write(disk("loop0", makedev(7, 0), false) / "loop/backing_file", image);
  write(disk("loop1", makedev(7, 1), false) / "loop/backing_file", image + " (deleted)");
  EXPECT_TRUE(decide({{"/a/in", status.st_dev}}, {"/loop", makedev(7, 0)}).shared);
  const SpindleDecision lost = decide({{"/a/in", status.st_dev}}, {"/gone", makedev(7, 1)});
  EXPECT_FALSE(lost.shared);
  EXPECT_EQ(lost.reason, "cannot tell which disk /gone is on; taken as separate");
}

TEST_F(SpindleTest, AFileSystemWithoutADeviceIsLookedUpAmongTheMounts) {
  const fs::path sda = disk("sda", makedev(8, 0), true);
  add(sda / "sda1", makedev(8, 1));
  mount("/", "/dev/sdz9");
  mount("/no-such-place/my\\040models", "/dev/sda1");  // btrfs: no major number, but a device
  mount("/no-such-place/my\\040models/far", "server:/export");
  const Place near{"/no-such-place/my models/in", makedev(0, 50)};
  const Place far{"/no-such-place/my models/far/in", makedev(0, 51)};
  EXPECT_EQ(decide({near}, {"/b", makedev(8, 0)}).reason,
            "input and output are on the same rotating disk (sda)");
  EXPECT_FALSE(decide({far}, {"/b", makedev(8, 0)}).shared);
  // A name that only begins like a mount point is elsewhere.
  EXPECT_FALSE(decide({{"/no-such-place/my modelsX/in", makedev(0, 52)}}, near).shared);
}

TEST_F(SpindleTest, UnknownDisksAreSharedIfTheFileSystemIsOne) {
  mount("/", "overlay");
  const SpindleDecision one = decide({{"/in", makedev(0, 50)}}, {"/out", makedev(0, 50)});
  EXPECT_TRUE(one.shared);
  EXPECT_EQ(one.reason, "cannot tell which disk /in is on; taken as shared");
  const SpindleDecision two = decide({{"/in", makedev(0, 50)}}, {"/out", makedev(0, 51)});
  EXPECT_FALSE(two.shared);
  EXPECT_EQ(two.reason, "cannot tell which disk /in is on; taken as separate");
}

TEST_F(SpindleTest, OddSystemsAreSurvived) {
  const Place a{"/in", makedev(8, 1)};
  const SystemPaths nothing{folder_ / "none", folder_ / "none"};
  EXPECT_TRUE(decide_spindle_of(std::vector{a}, a, nothing).shared);
  EXPECT_TRUE(decide_spindle_of({}, a, nothing).reason.size() > 0);
  // Devices that lie on one another in a circle.
  const fs::path first = disk("dm-1", makedev(252, 1), true);
  const fs::path second = disk("dm-2", makedev(252, 2), true);
  on(first, second);
  on(second, first);
  EXPECT_TRUE(decide({{"/in", makedev(252, 1)}}, {"/out", makedev(252, 1)}).shared);
  std::ofstream(system_.mountinfo) << "nonsense\n\n - - -\n36 35 0:99 / / rw - t\n\\0\\04\\9999\n";
  EXPECT_TRUE(decide({{"/in", makedev(0, 9)}}, {"/out", makedev(0, 9)}).shared);
}

TEST_F(SpindleTest, TheUsersWordIsTaken) {
  const std::string input = folder_ / "in";
  std::ofstream{input};
  const std::vector<File> files = [&] {
    std::vector<File> list;
    list.push_back(File::open_input(input));
    return list;
  }();
  EXPECT_TRUE(decide_spindle(Spindle::shared, files, folder_ / "out", system_).shared);
  EXPECT_FALSE(decide_spindle(Spindle::separate, files, folder_ / "out", system_).shared);
  // Nothing is known here, but it is one file system.
  EXPECT_TRUE(decide_spindle(Spindle::automatic, files, folder_ / "out", system_).shared);
  const SpindleDecision here = decide_spindle(Spindle::automatic, files, folder_ / "out");
  EXPECT_FALSE(here.reason.empty());
  RecordProperty("here", here.reason);
}

}  // namespace
}  // namespace sluice::io
