#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/interval_set.h"
#include "io/file.h"

namespace sluice::io {

/// The output file, written in any order at planned offsets under the name `PATH.part`, and renamed
/// to PATH when it is whole. Until then an older PATH is untouched. Where the file system allows,
/// whole pages are written past the page cache; elsewhere what was written is brought to the disk
/// and dropped from the cache as it goes, so that dirty pages never pile up.
class Sink {
 public:
  /// Writes larger than this gain nothing: at 100 MB/s it takes 160 ms, sixteen times as long as a
  /// seek, and two of them, one on its way to the disk and one that follows, are all the page cache
  /// that buffered writing takes.
  static constexpr std::size_t kLargestWrite = std::size_t{16} << 20;

  /// Opens `path.part`, or makes it, and holds it against other runs until the process ends.
  /// \throws Error (output_open) also if another run has it
  explicit Sink(const std::string& path);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  const std::string& part_path() const { return part_path_; }

  /// The size of the part file that was found; none if there was no such file.
  std::optional<std::uint64_t> found_size() const { return found_size_; }

  /// Empties the part file and sets `size` bytes aside.
  /// \throws Error (output_no_space, output_write)
  void start(std::uint64_t size);

  /// Goes on with the part file as it was found, of `size` bytes.
  /// \throws Error (output_no_space) if the rest has no room
  void resume(std::uint64_t size);

  /// From now on the part file stays when there is no commit.
  void keep() { keep_ = true; }

  /// Writes pieces that lie one after the other, from `offset` on.
  /// \throws Error (output_write, output_no_space)
  void write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces);

  /// Reads back what an earlier run wrote; returns the bytes got, fewer only at the file's end.
  /// \throws Error (output_write)
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const;

  /// Returns when everything written so far would survive a power cut.
  /// \throws Error (output_write)
  void sync();

  /// Brings everything to the disk and gives the file its name.
  /// \throws Error (output_write)
  void commit();

 private:
  void drop_written(Interval written);
  [[noreturn]] void throw_write_error(int reason, std::uint64_t offset) const;

  std::string path_;
  std::string part_path_;
  File file_;
  File direct_;  // the same file for direct writes; closed where the file system refuses them
  std::optional<std::uint64_t> found_size_;
  Interval behind_{};  // buffered bytes on their way to the disk
  bool keep_ = false;
  bool committed_ = false;
};

/// Refuses an output that is, by path or by inode, one of the inputs.
/// \throws Error (output_is_input)
void refuse_output_over_input(const std::string& output, std::span<const File> inputs);

/// Brings a folder's list of names to the disk. Errors are ignored: some file systems cannot.
void sync_folder_of(const std::string& path);

}  // namespace sluice::io
