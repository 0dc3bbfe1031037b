#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "support/process.h"
#include "support/temp_folder.h"

namespace sluice::testing_support {

/// A cgroup (version 1 or 2) with a memory limit, if we may make one: among the machine's own, or in
/// a hierarchy that is mounted for it.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::uint64_t bytes) {
    const std::string mount = mount_ / ".";
    if (make("/sys/fs/cgroup/memory", bytes) || make("/sys/fs/cgroup", bytes)) return;
    for (const std::vector<std::string>& kind :
         {std::vector<std::string>{"cgroup", "-o", "memory"}, {"cgroup2"}}) {
      std::vector<std::string> words{"mount", "-t"};
      words.insert(words.end(), kind.begin(), kind.end());
      words.insert(words.end(), {"none", mount});
      mounted_ = run(words).status == 0;
      if (mounted_ && make(mount, bytes)) return;
      unmount();
    }
  }
  ~MemoryGroup() {
    std::error_code ignored;
    if (made()) std::filesystem::remove(folder_, ignored);
    unmount();
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;

  bool made() const { return !folder_.empty(); }

  /// Puts the calling process into the group.
  void enter() const { std::ofstream(folder_ + "/cgroup.procs") << ::getpid() << std::flush; }

 private:
  bool make(const std::string& root, std::uint64_t bytes) {
    if (::access((root + "/cgroup.procs").c_str(), W_OK) != 0) return false;
    // In version 2 a group hands down what its own list says.
    std::ofstream(root + "/cgroup.subtree_control") << "+memory" << std::flush;
    const std::string folder = root + "/sluice-test-" + std::to_string(::getpid());
    std::error_code error;
    if (!std::filesystem::create_directory(folder, error)) return false;
    for (const std::string limit : {"memory.limit_in_bytes", "memory.max"}) {
      std::ofstream file(folder + "/" + limit);
      file << bytes << std::flush;
      if (!file) continue;
      folder_ = folder;
      return true;
    }
    std::filesystem::remove(folder, error);
    return false;
  }

  void unmount() {
    if (std::exchange(mounted_, false)) ::umount2((mount_ / ".").c_str(), MNT_DETACH);
  }

  const TempFolder mount_;
  bool mounted_ = false;
  std::string folder_;
};

}  // namespace sluice::testing_support
