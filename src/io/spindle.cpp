#include "io/spindle.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "base/text.h"
#include "io/http/url.h"
#include "io/seek_time.h"
#include "io/source.h"

namespace sluice::io {
namespace {

namespace fs = std::filesystem;

// Devices stacked higher than this are a loop in sysfs.
constexpr int kMaxStack = 16;

// The disks under a file system: name to whether it rotates. `unknown` if not all could be found.
struct Disks {
  std::map<std::string, bool> rotates;
  std::set<std::string> emulated;  // by a virtual machine's host
  bool unknown = false;

  std::string names() const {
    std::string text;
    for (const auto& [name, rotating] : rotates) text += (text.empty() ? "" : " and ") + name;
    return text;
  }
};

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The path without symbolic links; as it is where that fails.
fs::path resolved(const fs::path& path) {
  std::error_code error;
  fs::path real = fs::canonical(path, error);
  return error ? path : real;
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    found.push_back(at->path());
  }
  return found;
}

// mountinfo writes blanks in names as \040 and the like.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                    text.begin() + static_cast<std::ptrdiff_t>(i) + 4, is_octal)) {
      plain += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool is_under(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

// What is mounted where `path` is: the last of the longest mount points above it. By path and not
// by device number, for a btrfs subvolume has a number that mountinfo does not know.
std::string mount_source(const fs::path& path, const SystemPaths& system) {
  std::ifstream stream(system.mountinfo);
  std::string line;
  std::string source;
  std::size_t longest = 0;
  while (std::getline(stream, line)) {
    // id parent major:minor root MOUNT-POINT options [more ...] - type SOURCE options
    std::istringstream words(line);
    const std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
    const auto dash = std::find(word.begin(), word.end(), "-");
    if (word.size() < 5 || std::distance(dash, word.end()) < 3) continue;
    const std::string point = unescaped(word[4]);
    if (point.size() < longest || !is_under(path, point)) continue;
    longest = point.size();
    source = unescaped(dash[2]);
  }
  return source;
}

void add_disks(const Place& place, const SystemPaths& system, int depth, Disks& disks);

// Disks that hosts give to their virtual machines: virtio's, Xen's and Hyper-V's by where they are,
// those that pretend to be SCSI or SATA disks by who makes them.
bool is_emulated(const fs::path& device) {
  const std::string place = device.string();
  for (const char* bus : {"/virtio", "/vbd-", "/VMBUS"}) {
    if (place.find(bus) != std::string::npos) return true;
  }
  const std::string maker =
      first_line(device / "device/vendor") + " " + first_line(device / "device/model");
  return std::ranges::any_of(std::array{"QEMU", "VMware", "VBOX", "Msft"}, [&](const char* name) {
    return maker.find(name) != std::string::npos;
  });
}

// `entry` leads to a device in sysfs, which may be a partition or lie on other devices.
void add_disks_of_entry(const fs::path& entry, const SystemPaths& system, int depth, Disks& disks) {
  fs::path device = resolved(entry);
  if (!is_there(device / "queue")) device = device.parent_path();  // of a partition: the whole disk
  if (!is_there(device / "queue") || depth > kMaxStack) {
    disks.unknown = true;
    return;
  }
  const std::vector<fs::path> slaves = entries(device / "slaves");
  if (!slaves.empty()) {  // device mapper, md, bcache
    for (const fs::path& slave : slaves) add_disks_of_entry(slave, system, depth + 1, disks);
    return;
  }
  if (const std::string file = first_line(device / "loop/backing_file"); !file.empty()) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
      disks.unknown = true;
    } else {
      add_disks({file, status.st_dev}, system, depth + 1, disks);
    }
    return;
  }
  const std::string name = device.filename().string();
  disks.rotates[name] = first_line(device / "queue/rotational") == "1";
  if (is_emulated(device)) disks.emulated.insert(name);
}

void add_disks(const Place& place, const SystemPaths& system, int depth, Disks& disks) {
  const fs::path sysfs = system.sysfs;
  if (major(place.device) != 0) {
    add_disks_of_entry(
        sysfs / "dev/block" / fmt::format("{}:{}", major(place.device), minor(place.device)),
        system, depth, disks);
    return;
  }
  // No device of its own (btrfs, overlay, FUSE, network): perhaps one is mounted by name.
  const fs::path source = mount_source(resolved(place.path), system);
  if (is_under(source, "/dev")) {
    add_disks_of_entry(sysfs / "class/block" / resolved(source).filename(), system, depth, disks);
  } else {
    disks.unknown = true;
  }
}

Disks disks_under(const Place& place, const SystemPaths& system) {
  Disks disks;
  add_disks(place, system, 0, disks);
  return disks;
}

}  // namespace

SpindleDecision decide_spindle_of(std::span<const Place> inputs, const Place& output,
                                  const SystemPaths& system) {
  const auto is_remote = [](const Place& place) { return is_url(place.path); };
  if (is_remote(output) || std::ranges::all_of(inputs, is_remote)) {
    return {false, "one of them is read over the network"};
  }
  const Disks target = disks_under(output, system);
  Disks all;
  std::string still;  // a disk of both that does not rotate
  const Place* hidden = target.unknown ? &output : nullptr;
  for (const Place& input : inputs) {
    if (is_remote(input)) continue;
    const Disks disks = disks_under(input, system);
    for (const auto& [name, rotating] : disks.rotates) {
      if (target.rotates.contains(name)) {
        if (rotating) {
          return {true, fmt::format("input and output are on the same rotating disk ({})", name),
                  target.emulated.contains(name) ? name : ""};
        }
        still = name;
      }
    }
    if (disks.unknown && input.device == output.device) {
      return {true,
              fmt::format("cannot tell which disk {} is on; taken as shared", visible(input.path))};
    }
    if (disks.unknown) hidden = &input;
    all.rotates.insert(disks.rotates.begin(), disks.rotates.end());
  }
  if (hidden != nullptr) {
    return {false, fmt::format("cannot tell which disk {} is on; taken as separate",
                               visible(hidden->path))};
  }
  if (!still.empty()) return {false, fmt::format("disk {} does not rotate", still)};
  return {false, fmt::format("input on {}, output on {}", all.names(), target.names())};
}

SpindleDecision with_seeks(SpindleDecision decision, std::optional<double> seek) {
  // A hard disk's take 5 to 15 ms, those of others a tenth of that.
  constexpr double kSlow = 3e-3;
  if (!decision.shared || decision.virtual_disk.empty()) return decision;
  if (!seek || *seek < kSlow) {
    return {false,
            fmt::format("virtual disk {} says that it rotates, but {}", decision.virtual_disk,
                        seek ? fmt::format("seeks in {:.2g} ms", *seek * 1e3)
                             : "the input is too small to see it seek")};
  }
  decision.reason += fmt::format(", which seeks in {:.2g} ms", *seek * 1e3);
  return decision;
}

SpindleDecision decide_spindle(Spindle wanted, std::span<const File> inputs,
                               const std::string& output, const SystemPaths& system) {
  if (wanted != Spindle::automatic) return {wanted == Spindle::shared, "as asked for"};
  std::vector<Place> places;
  for (const File& input : inputs) places.push_back({input.path(), input.identity().device});
  // The output is made anew in its folder, whatever is there under its name.
  const fs::path folder = fs::path(output).parent_path();
  Place target{.path = folder.empty() ? "." : folder.string()};
  struct stat status {};
  if (::stat(target.path.c_str(), &status) == 0) target.device = status.st_dev;
  SpindleDecision decision = decide_spindle_of(places, target, system);
  if (decision.virtual_disk.empty()) return decision;
  return with_seeks(std::move(decision), measure_seek(pointers_to(inputs)));
}

}  // namespace sluice::io
