#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::io {

class RemoteFile;

/// Which file a path leads to, whatever its name: two paths with equal identities are one file.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

/// What changes when a file is written to.
struct FileState {
  std::uint64_t size = 0;
  /// Time of last modification, since 1970; of a remote file a hash of its ETag.
  std::int64_t modified_ns = 0;
  friend bool operator==(const FileState&, const FileState&) = default;
};

/// A descriptor that is closed with its owner, or a file on a server, which has none. Positional
/// calls only, so that one file serves several threads.
class File {
 public:
  File() = default;
  File(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  /// \param path  or an https://, http:// or hf:// URL
  /// \param stop  ends all waiting for the network, in later calls too; may be null
  /// \throws Error (input_open) naming the file and the cure; for URLs (usage, input_read,
  ///         interrupted) too
  static File open_input(const std::string& path, const std::atomic<bool>* stop = nullptr);

  /// The same, or nothing if the server says that it has no such file, or shows none of this name.
  static std::optional<File> open_if_there(const std::string& url, const std::atomic<bool>* stop);

  int descriptor() const { return descriptor_; }
  /// As the user named it, but for what of a URL is not to be shown.
  const std::string& path() const { return path_; }
  bool remote() const { return remote_ != nullptr; }
  std::uint64_t size() const;
  FileIdentity identity() const;
  FileState state() const;
  /// Time of the last change to data, name, rights or times, since 1970. No program can set it.
  /// 0 of a remote file.
  std::int64_t changed_ns() const;
  /// What the server of a remote file calls its content, quoted if the name is a strong one: then
  /// the same name is the same bytes. Empty: none, or the file is local.
  std::string etag() const;
  /// Gives back the memory for a remote file's first bytes, once the header was read.
  void forget_start() const;

  /// Reads up to `out.size()` bytes at `offset`; fewer only at the end of the file.
  /// \throws Error (input_read); of a remote file (input_changed, interrupted) too
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
  std::shared_ptr<const RemoteFile> remote_;
};

/// Opens files as File::open_input does, remote ones several at a time.
/// \throws Error of the first that cannot be opened
std::vector<File> open_inputs(std::span<const std::string> paths,
                              const std::atomic<bool>* stop = nullptr);

/// The same for URLs of which some may not be there, see File::open_if_there.
std::vector<std::optional<File>> open_those_there(std::span<const std::string> urls,
                                                  const std::atomic<bool>* stop);

/// The message of an errno value.
std::string system_message(int error_number);

}  // namespace sluice::io
