#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/interval_set.h"
#include "io/file.h"

namespace sluice::io {

/// A file of the output while it grows, written in any order at planned offsets. Where the file
/// system allows, whole pages are written past the page cache; elsewhere what was written is
/// brought to the disk and dropped from the cache as it goes, so that dirty pages never pile up.
class OutputFile {
 public:
  OutputFile() = default;

  /// Opens the file, or makes it.
  /// \throws Error (output_open)
  static OutputFile open(const std::string& path);

  /// The same, and holds the file against other runs until it is closed or the process ends.
  /// \throws Error (output_open) also if another run has it
  static OutputFile open_locked(const std::string& path);

  bool is_open() const { return file_.descriptor() >= 0; }
  const File& file() const { return file_; }

  /// Whether whole pages are written past the page cache. Known after the first write.
  bool direct() const { return direct_.descriptor() >= 0 && !state_->refuses_direct; }

  /// \throws Error (output_write)
  void empty();

  /// Gives the file its size and sets the space for it aside, where the file system can.
  /// \throws Error (output_no_space, output_write)
  void reserve(std::uint64_t size);

  /// Writes pieces that lie one after the other, from `offset` on. For any number of threads.
  /// \throws Error (output_write, output_no_space)
  void write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces);

  /// Reads back what was written; returns the bytes got, fewer only at the file's end.
  /// \throws Error (output_write)
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const;

  /// Returns when everything written so far would survive a power cut.
  /// \throws Error (output_write)
  void sync();

 private:
  explicit OutputFile(File file);
  void drop_written(Interval written);
  [[noreturn]] void throw_write_error(int reason, std::uint64_t offset) const;

  struct State {
    std::atomic<bool> refuses_direct = false;
    std::atomic<bool> dirty = false;  // since the last sync
    std::mutex buffered;              // held by who writes through the page cache
    Interval behind{};                // buffered bytes on their way to the disk
  };

  File file_;
  File direct_;  // the same file for direct writes; closed where the file system refuses them
  std::unique_ptr<State> state_ = std::make_unique<State>();
};

/// \param older  bytes that the output's older files take, which go when it is whole
/// \throws Error (output_no_space)
[[noreturn]] void throw_no_space(const std::string& path, std::uint64_t needed,
                                 std::uint64_t available, std::uint64_t older = 0);

/// Bytes that the file system of an open file has left, as far as it tells.
std::uint64_t free_space(const File& file);

}  // namespace sluice::io
