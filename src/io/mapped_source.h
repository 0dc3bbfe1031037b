#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/source.h"

namespace sluice::io {

/// A whole file mapped for reading, for data that is looked up here and there (importance
/// matrices). Empty files map to an empty span.
class MappedFile {
 public:
  /// \throws Error (input_open)
  explicit MappedFile(File file);
  ~MappedFile();
  MappedFile(MappedFile&&) noexcept;
  MappedFile& operator=(MappedFile&&) noexcept;

  const File& file() const;
  std::span<const std::byte> bytes() const;

  /// To be called once bytes were used and before the result counts: bytes that could not be had
  /// read as zeros.
  /// \throws Error (input_truncated, input_read) if the file shrank or the disk failed
  void check() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Maps the files (Boost.Interprocess) and hands out spans of the mappings: no copy. Null, with a
/// reason, where a file cannot be mapped.
std::unique_ptr<Source> open_mapped_source(std::vector<const File*> files, std::string& reason);

}  // namespace sluice::io
