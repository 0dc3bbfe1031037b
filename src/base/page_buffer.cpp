#include "base/page_buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

#include "base/checked.h"

namespace sluice {
namespace {

// x86-64's, and that of ARM with pages of 4 KiB.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

std::byte* map(std::size_t bytes) {
  void* address =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(address);
}

// Huge pages lie within a mapping, so that no more memory is held than was asked for. A kernel that
// has none gives small ones.
std::byte* map_on_huge_page(std::size_t bytes) {
  std::byte* const wide = map(bytes + kHugePage);
  const auto address = reinterpret_cast<std::uintptr_t>(wide);
  const std::size_t before = align_up(address, kHugePage) - address;
  std::byte* const data = wide + before;
  if (before > 0) ::munmap(wide, before);
  const std::size_t size = align_up(bytes, std::size_t{4096});
  if (before + size < bytes + kHugePage) ::munmap(data + size, bytes + kHugePage - before - size);
  ::madvise(data, bytes, MADV_HUGEPAGE);
  return data;
}

}  // namespace

PageBuffer::PageBuffer(std::size_t bytes, bool huge) : size_(bytes) {
  if (bytes == 0) return;
  data_ = huge && bytes >= kHugePage ? map_on_huge_page(bytes) : map(bytes);
  if (!huge) ::madvise(data_, bytes, MADV_NOHUGEPAGE);
}

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

PageBuffer& PageBuffer::operator=(PageBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

PageBuffer::~PageBuffer() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

}  // namespace sluice
