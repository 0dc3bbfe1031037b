// Disks of any size, small ones: the run says that there is too little and goes on where there is more.

#include <sys/mount.h>

#include <algorithm>

#include "trials.h"

namespace sluice::trials {
namespace {

/// A disk of memory, unmounted with its owner.
class Disk {
 public:
  explicit Disk(std::uint64_t bytes) : folder_(place_ / ".") { mount(0, bytes); }
  ~Disk() { ::umount2(folder_.c_str(), MNT_DETACH); }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  void resize(std::uint64_t bytes) { mount(MS_REMOUNT, bytes); }
  std::string operator/(const std::string& name) const { return folder_ + "/" + name; }
  const std::string& folder() const { return folder_; }

 private:
  void mount(unsigned long flags, std::uint64_t bytes) const {
    const std::string options = "size=" + std::to_string(bytes);
    if (::mount("tmpfs", folder_.c_str(), "tmpfs", flags, options.c_str()) != 0) {
      throw Missing("no right to mount a file system here");
    }
  }

  const TempFolder place_;
  const std::string folder_;
};

void try_full_disks(Case& one) {
  constexpr std::uint64_t kOutput = 1950000;  // about what is written
  Disk disk(4096 * (1 + one.below(kOutput * 2 / 4096)));
  Words words = {"quantize", "--checkpoint",  "0",    "--imatrix", kMatrix,
                 kModel,     disk / "m.gguf", "IQ1_M"};
  if (one.chance(30)) words.insert(words.end(), {"--split-max-size", "300K"});
  if (one.chance(30)) words.insert(words.end(), {"--report", disk / "report.json"});
  if (one.chance(30)) words.insert(words.end(), {"--log-file", disk / "log"});
  const Finished first = orderly(words);
  one.happened(first.status == 0 ? "fits" : "full");
  if (first.status != 0) {
    expect(first.status == 4, "a full disk", first);
    for (const std::string& name : files_in(disk.folder())) {
      expect(!name.ends_with(".gguf"), "has its name and is not whole: " + name);
    }
    disk.resize(3 * kOutput);
    const Finished second = orderly(words);
    expect(second.status == 0, "does not go on where there is space", second);
  }
  const std::vector<std::string> names = files_in(disk.folder());
  const auto made =
      std::ranges::find_if(names, [](const std::string& n) { return n.ends_with(".gguf"); });
  expect(made != names.end(), "nothing is made");
  const Finished right =
      orderly({"verify", disk / *made, "--against", kModel, "--imatrix", kMatrix});
  expect(right.status == 0, "what was made is not right", right);
}

}  // namespace

const Trial& full_disks() {
  static const Trial trial{"full_disks", 100, 10, {"full", "fits"}, try_full_disks};
  return trial;
}

}  // namespace sluice::trials
