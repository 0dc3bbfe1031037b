#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "io/file.h"

namespace sluice::io {

/// The output file, written in any order at planned offsets under the name `PATH.part`, and renamed
/// to PATH when it is whole. Destroyed without `commit`, it leaves nothing behind.
class Sink {
 public:
  /// Creates `path.part` with `size` bytes set aside.
  /// \throws Error (output_open, output_no_space) before anything of an older PATH is touched.
  Sink(const std::string& path, std::uint64_t size);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// \throws Error (output_write, output_no_space)
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);

  /// Brings everything to the disk and gives the file its name.
  /// \throws Error (output_write)
  void commit();

 private:
  std::string path_;
  std::string part_path_;
  File file_;
  bool committed_ = false;
};

/// Refuses an output that is, by path or by inode, one of the inputs.
/// \throws Error (output_is_input)
void refuse_output_over_input(const std::string& output, std::span<const File> inputs);

}  // namespace sluice::io
