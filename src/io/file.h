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

  /// Reads up to `out.size()` bytes at `offset`; fewer only at the end of the file.
  /// \throws Error (input_read)
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const;

 private:
  int descriptor_ = -1;
  std::string path_;
};

/// The message of an errno value.
std::string system_message(int error_number);

}  // namespace sluice::io
