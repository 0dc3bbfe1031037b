#pragma once

// What would still be there if the power failed now.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fault_fs {

/// Follows what happens to the files of a folder and can put it into a state that a power cut might
/// have left. A file's bytes and size are safe once the file was synced, names (creation, renaming,
/// removal) once their folder was. Folders themselves are always safe.
class CrashStore {
 public:
  using Id = std::uint64_t;  ///< of a file, whatever its name; 0: none

  /// What becomes of that which is not safe.
  struct Outcome {
    enum class Data { lost, kept, torn };  ///< torn: each page of 4 KiB by a coin
    Data data = Data::lost;
    std::uint64_t seed = 0;  ///< of the coin
    bool names_kept = false;
  };

  /// What is in `live` now is safe. `store`, on the same file system, is for the store's own files.
  CrashStore(std::filesystem::path live, std::filesystem::path store);

  // Paths are relative to the live folder, and begin with a slash.
  Id find(const std::string& path) const;
  Id created(const std::string& path);
  void removed(const std::string& path) { names_.erase(path); }
  void renamed(const std::string& from, const std::string& to);

  /// Bytes of a file changed. Also for those between the old end of file and the new.
  void changed(Id id, std::uint64_t begin, std::uint64_t end);

  void synced(Id id);
  void folder_synced(const std::string& path);

  /// Puts the live folder into the state after a power cut, all of which is safe then.
  void lose_power(const Outcome& outcome);

 private:
  using Names = std::map<std::string, Id>;
  struct Range {
    std::uint64_t begin;
    std::uint64_t end;
  };

  std::filesystem::path live_copy(Id id) const { return store_ / (std::to_string(id) + ".live"); }
  std::filesystem::path safe_copy(Id id) const { return store_ / (std::to_string(id) + ".safe"); }
  void adopt();

  const std::filesystem::path live_;
  const std::filesystem::path store_;
  Id last_ = 0;
  Names names_;
  Names safe_names_;
  std::map<Id, std::vector<Range>> dirty_;
};

}  // namespace fault_fs
