#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "io/file.h"
#include "sluice/quantize.h"

namespace sluice::io {

/// Where the system describes itself.
struct SystemPaths {
  std::string sysfs = "/sys";
  std::string mountinfo = "/proc/self/mountinfo";
};

/// Whether input and output share a rotating disk, and why, as a clause for the user.
struct SpindleDecision {
  bool shared = false;
  std::string reason;
  /// The shared disk is a virtual machine's, whose word on rotating says little.
  std::string virtual_disk = {};
};

/// A file or folder and the device number (st_dev) of the file system that it is on.
struct Place {
  std::string path;
  std::uint64_t device = 0;
};

/// Whether `output`, which need not exist yet but whose folder does, is on a rotating disk that
/// holds an input too. Follows partitions, device mapper, md and loop devices to the disks under
/// them. File systems whose disk is not known (network, overlay) are taken as shared if they are
/// one file system: taking turns costs little, a wandering head half the rate. A virtual disk that
/// says that it rotates is believed if its seeks are slow (measure_seek()).
SpindleDecision decide_spindle(Spindle wanted, std::span<const File> inputs,
                               const std::string& output, const SystemPaths& system = {});

/// The decision on a virtual disk by its seeks, in seconds, if they could be measured; others as they
/// are.
SpindleDecision with_seeks(SpindleDecision decision, std::optional<double> seek);

/// The same for places that were looked up before, without measuring. Never throws for what sysfs
/// holds or lacks.
SpindleDecision decide_spindle_of(std::span<const Place> inputs, const Place& output,
                                  const SystemPaths& system = {});

}  // namespace sluice::io
