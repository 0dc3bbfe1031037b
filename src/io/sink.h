#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/output_file.h"
#include "io/write_team.h"

namespace sluice::io {

/// Where a file of the output belongs.
struct SinkPart {
  std::string path;         ///< its name once the output is whole
  std::uint64_t begin = 0;  ///< its place in the output's address space
  std::uint64_t size = 0;   ///< bytes
};

/// The working name of the file of number `no`, from 0: `WORK`, `WORK-00002`, ...
std::string work_name_of(const std::string& work_path, std::size_t no);

/// The output: one file or several that make one address space, written in any order at planned
/// offsets. Until all is whole the files have working names: `WORK` for the first, `WORK-00002` and
/// so on for the others. Then they get their own names, the first file last, and as a program finds
/// the others by the first, it finds all or nothing:
///
///  1. Everything is brought to the disk.
///  2. If there are several, an older first file goes away: were it still there while the others
///     get their names, it would lead to files of another model.
///  3. The others get their names, from the last to the second, then the first.
///
/// Whatever ends a run between these steps leaves every byte in a file of one name or the other,
/// and no first file, or an older output that nothing has touched, or the whole new one. A later
/// run finds the first working name and calls take_back(). Before each step, and before the first
/// file gets its name, what was done so far is brought to the disk.
class Sink {
 public:
  /// Writes larger than this gain nothing: at 100 MB/s it takes 160 ms, sixteen times as long as a
  /// seek, and two of them, one on its way to the disk and one that follows, are all the page cache
  /// that buffered writing takes.
  static constexpr std::size_t kLargestWrite = std::size_t{16} << 20;

  /// Files that are open at once, beside the first: a run writes one or two at a time, and systems
  /// allow a process a thousand.
  static constexpr std::size_t kMostOpen = 16;

  /// Opens `WORK`, or makes it, and holds it against other runs until the process ends.
  /// \param parts  one or more, by rising `begin`, with room between two
  /// \throws Error (output_open) also if another run has it
  Sink(std::string work_path, std::vector<SinkPart> parts);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// The working name of the first file.
  const std::string& work_path() const { return work_path_; }
  std::span<const SinkPart> parts() const { return parts_; }

  /// Whether the first file is written past the page cache. Known after its first write.
  bool direct() const { return files_.front().direct(); }

  /// Whether `WORK` was there before.
  bool found() const { return found_; }

  /// Whether all files have their names, and the right sizes.
  bool has_names() const;

  /// Gives back their working names to files that got their names before a run was cut off.
  /// \throws Error (output_write)
  void take_back();

  /// The first working name without a file of the right size; empty: none.
  std::string first_unfit() const;

  /// Makes sure, before anything is changed, that all files together find room.
  /// \throws Error (output_no_space)
  void require_space() const;

  /// Removes what an earlier run that made `made` files has left beyond this one's.
  void remove_surplus(std::size_t made);

  /// Makes all files, or empties them, so that they are there after a power cut too, and sets the
  /// space aside. A file that will take another's place gets its rights.
  /// \throws Error (output_open, output_no_space, output_write)
  void start();

  /// Goes on with the files as they were found.
  /// \throws Error (output_no_space) if the rest has no room
  void resume();

  /// From now on the working files stay when there is no commit. Without a start() they do anyway.
  void keep() { keep_ = true; }

  /// Removes the working files that were started, unless they are to be kept or all have their
  /// names. Whether it did.
  bool discard() noexcept;

  /// Writes pieces that lie one after the other, from `offset` on, in one file.
  /// \throws Error (output_write, output_no_space)
  void write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> pieces);

  /// Starts a write, while others may be under way: see WriteTeam. It may still fail later.
  /// \param held  what holds the pieces' bytes; let go when it has ended
  /// \throws Error (output_write, output_no_space) of it, or of one before
  void start_write(std::uint64_t offset, std::vector<std::span<const std::byte>> pieces,
                   std::shared_ptr<void> held);

  /// Waits until a write that was started has ended. \returns false if none is under way
  bool wait_for_write() { return team_.wait_for_one(); }

  /// Waits until all have ended. \throws Error (output_write, output_no_space) of one that failed
  void finish_writes() { team_.finish(); }

  /// The same, whatever became of them.
  void wait_for_writes() noexcept { team_.wait(); }

  /// Reads back what an earlier run wrote, from one file; returns the bytes got, fewer only at the
  /// file's end. \throws Error (output_write)
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out);

  /// Returns when everything written so far would survive a power cut.
  /// \throws Error (output_write)
  void sync();

  /// Brings everything to the disk and gives the files their names.
  /// \throws Error (output_write)
  void commit();

 private:
  std::string work_name(std::size_t no) const;
  std::size_t part_at(std::uint64_t offset) const;
  OutputFile& file(std::size_t no);
  void reserve();
  void rename(const std::string& from, const std::string& to);

  std::string work_path_;
  std::vector<SinkPart> parts_;
  std::vector<OutputFile> files_;  // one for each part; open: the first, and those in open_
  std::vector<std::size_t> open_;  // in the order of opening
  std::size_t named_;              // the first part that has its name; those after it have too
  bool found_ = false;
  bool started_ = false;
  bool keep_ = false;
  WriteTeam team_;
};

/// Brings a folder's list of names to the disk. Errors are ignored: some file systems cannot.
void sync_folder_of(const std::string& path);

}  // namespace sluice::io
