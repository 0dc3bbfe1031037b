#pragma once

#include <cstddef>
#include <span>

namespace sluice {

/// Zeroed memory that starts on a page and is allocated once: pages are taken from the system when
/// first touched, near to the thread that touches them, and given back all together. Pages of 2 MiB,
/// from a start on one, where the buffer holds some and the kernel gives them.
class PageBuffer {
 public:
  PageBuffer() = default;
  /// \param huge  huge pages may be held where a part of them is touched
  /// \throws std::bad_alloc
  explicit PageBuffer(std::size_t bytes, bool huge = true);
  PageBuffer(PageBuffer&& other) noexcept;
  PageBuffer& operator=(PageBuffer&& other) noexcept;
  ~PageBuffer();

  std::span<std::byte> bytes() const { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sluice
