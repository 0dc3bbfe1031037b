#pragma once

// A disk that fails as told: mounts tests/fault_fs and ends it with its owner.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/process.h"
#include "support/temp_folder.h"

namespace sluice::testing_support {

class FaultDisk {
 public:
  /// Without the means to mount one, `mounted` is false and `why_not` says what is missing.
  /// \param files  copied onto the disk, and safe there
  explicit FaultDisk(const std::vector<std::string>& files = {}) {
#ifdef SLUICE_FAULT_FS
    std::filesystem::create_directories(folder_ / "live");
    std::filesystem::create_directories(folder_ / "mount");
    for (const std::string& file : files) {
      std::filesystem::copy_file(file, folder_ / "live" / std::filesystem::path(file).filename());
    }
    if (::access("/dev/fuse", R_OK | W_OK) != 0) {
      why_not_ = "no right to use /dev/fuse here";
      return;
    }
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGTERM);
      exec_words({SLUICE_FAULT_FS, folder_ / ".", folder_ / "mount"});
    }
    wait_until_mounted();
#else
    static_cast<void>(files);
    why_not_ = "built without libfuse3";
#endif
  }

  ~FaultDisk() {
    if (process_ <= 0) return;
    ::kill(process_, SIGTERM);  // it unmounts
    if (wait_status(process_) != 0) run({"fusermount3", "-u", "-z", "-q", folder_ / "mount"});
  }

  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  bool mounted() const {
    return why_not_.empty();
  }
  const std::string& why_not() const {
    return why_not_;
  }

  /// A file or folder of the disk.
  std::string operator/(const std::string& name) const {
    return folder_ / ("mount/" + name);
  }

  /// Gives commands, one a line: see fault_fs.cpp.
  void tell(const std::string& commands) {
    const int control = ::open((*this / ".control").c_str(), O_WRONLY);
    const bool told = control >= 0 && ::write(control, commands.data(), commands.size()) ==
                                          static_cast<ssize_t>(commands.size());
    ::close(control);
    if (!told) throw std::runtime_error("the fault disk does not understand: " + commands);
  }

  /// How many operations of a kind there were; "faults": how many met one.
  std::uint64_t count(const std::string& what) const {
    std::ifstream control(*this / ".control");
    std::string name;
    for (std::uint64_t number = 0; control >> name >> number;) {
      if (name == what) return number;
    }
    return 0;
  }

 private:
  void wait_until_mounted() {
    for (int i = 0; i < 1000; ++i) {
      if (::access((*this / ".control").c_str(), F_OK) == 0) return;
      if (::waitpid(process_, nullptr, WNOHANG) == process_) {
        process_ = -1;
        why_not_ = "no right to mount a FUSE file system here";
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    throw std::runtime_error("the fault disk does not answer");
  }

  TempFolder folder_;
  pid_t process_ = -1;
  std::string why_not_;
};

}  // namespace sluice::testing_support
