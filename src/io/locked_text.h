#pragma once

#include <string>
#include <string_view>

#include "io/file.h"

namespace sluice::io {

/// A small file of lines that several processes, also of several machines, append to in turn: whoever
/// has it holds it against the others, which wait. A file system that cannot lock lets all go on.
/// Locking a file of NFS brings what others wrote to it.
class LockedText {
 public:
  /// Opens the file, or makes it, and waits for its lock.
  /// \throws Error (output_open)
  explicit LockedText(const std::string& path);
  /// Takes away a file that nothing was written to.
  ~LockedText();
  LockedText(const LockedText&) = delete;
  LockedText& operator=(const LockedText&) = delete;

  /// All of it.
  const std::string& text() const { return text_; }

  /// Adds whole lines, behind the last whole one, and brings them to the disk.
  /// \throws Error (output_write, output_no_space)
  void append(std::string_view lines);

  /// Begins anew.
  /// \throws Error (output_write, output_no_space)
  void replace(std::string_view lines);

 private:
  void write(std::size_t kept, std::string_view lines);

  File file_;
  std::string text_;
};

/// What such a file holds, without waiting; empty, if it is not there.
std::string text_of_file(const std::string& path);

}  // namespace sluice::io
