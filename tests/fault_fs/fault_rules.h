#pragma once

// What shall go wrong, as the tests asked for it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fault_fs {

/// What an operation meets.
struct Fault {
  enum class Kind {
    error,     ///< it fails with `value`, an errno
    shrink,    ///< the file is cut to `value` bytes, then the operation goes on
    power_off  ///< the machine is off from now on
  };
  Kind kind = Kind::error;
  std::uint64_t value = 0;
};

/// Counts operations and tells which of them fail.
class FaultRules {
 public:
  /// Adds a rule: `OP [skip=N] [times=N] [at=OFFSET] [file=ENDING] do ACTION`. OP is open, create,
  /// read, write, fsync, fsyncdir, rename, unlink, truncate or fallocate; ACTION an errno's name,
  /// `shrink:SIZE` or `power-off`. Of the operations on files whose name ends in ENDING, and whose
  /// bytes include the one at OFFSET, the first `skip` pass and the next `times` (default: all)
  /// meet the fault.
  /// \throws std::invalid_argument
  void add(const std::string& words);

  /// What this operation meets, if anything. `size` is 0 for those that have no range.
  std::optional<Fault> meet(const std::string& op, const std::string& file, std::uint64_t offset,
                            std::uint64_t size);

  void clear() { rules_.clear(); }

  /// A line `OP COUNT` for each operation, and `faults COUNT` for those that met one.
  std::string counts() const;

 private:
  struct Rule {
    std::string op;
    std::string file;
    std::uint64_t skip = 0;
    std::uint64_t times = UINT64_MAX;
    std::optional<std::uint64_t> at;
    Fault fault;
  };

  std::vector<Rule> rules_;
  std::map<std::string, std::uint64_t> counts_;
  std::uint64_t faults_ = 0;
};

}  // namespace fault_fs
