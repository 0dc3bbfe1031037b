#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace sluice::io {

/// Which file a path leads to, whatever its name: two paths with equal identities are one file.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// What changes when a file is written to.
struct FileState {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;  ///< time of last modification, since 1970
  friend bool operator==(const FileState&, const FileState&) = default;
};

/// A descriptor that is closed with its owner. Positional calls only, so that one file serves
/// several threads.
class File {
 public:
  File() = default;
  File(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  /// \throws Error (input_open) naming the file and the cure.
  static File open_input(const std::string& path);

  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }
  std::uint64_t size() const;
  FileIdentity identity() const;
  FileState state() const;
  /// Time of the last change to data, name, rights or times, since 1970. No program can set it.
  std::int64_t changed_ns() const;

  /// Reads up to `out.size()` bytes at `offset`; fewer only at the end of the file.
  /// \throws Error (input_read)
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const;

  /// Asks for bytes that are read next, so that the disk does not wait between two reads. Does not
  /// wait itself. The kernel may do nothing: a busy FUSE file system drops such requests, so ask
  /// again with each read. With each byte asked for once, a run on one spindle took a third longer
  /// (775 seeks, not 32): what had been dropped was read piece by piece between the writes.
  void prefetch(std::uint64_t begin, std::uint64_t size) const noexcept;

  /// The page cache's largest folio on x86-64. The kernel does not drop a folio that reaches beyond
  /// the range it was given, so a large file read and dropped piece by piece would stay cached by
  /// half.
  static constexpr std::uint64_t kLargestFolio = std::uint64_t{2} << 20;

  /// Takes clean pages of a range out of the page cache, so that bytes needed once do not push
  /// others out. Dirty and mapped pages stay.
  void drop_cached(std::uint64_t begin, std::uint64_t end) const noexcept;

 private:
  int descriptor_ = -1;
  std::string path_;
};

/// The message of an errno value.
std::string system_message(int error_number);

}  // namespace sluice::io
