#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "base/page_buffer.h"

namespace sluice {

/// Rows of tensors that share a transposed matrix, one tensor's behind the other's, which come in
/// columns. Workers write columns of their own; who has the last ones takes the rows.
class MatrixBuffer {
 public:
  explicit MatrixBuffer(std::uint64_t bytes) : buffer_(bytes) {}

  std::span<std::byte> bytes() const { return buffer_.bytes(); }

  /// \param bands  so many come
  void begin(std::uint64_t bands) { left_ = bands; }

  /// A band's columns are there. \returns whether they were the last
  bool add_band() { return --left_ == 0; }

 private:
  PageBuffer buffer_;
  std::atomic<std::uint64_t> left_ = 0;
};

}  // namespace sluice
