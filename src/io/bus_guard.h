#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace sluice::io {

/// While one lives, touching a page of its mapping that cannot be had (the file was cut short, the
/// disk failed) gives zeros and is remembered, where the system would end the process with SIGBUS.
/// Other SIGBUS go where they went before. For any number of mappings and threads at once.
///
/// The process has one SIGBUS handler: the first guard installs this one, the last removes it.
class BusGuard {
 public:
  /// \param mapping  a file mapping, or nothing; unmapped only after the guard's end
  explicit BusGuard(std::span<const std::byte> mapping);
  BusGuard(BusGuard&& other) noexcept : region_(std::exchange(other.region_, nullptr)) {}
  BusGuard& operator=(BusGuard&& other) noexcept {
    std::swap(region_, other.region_);
    return *this;
  }
  ~BusGuard();

  /// Where the first such page begins, from the start of the mapping.
  std::optional<std::size_t> first_fault() const noexcept;

  struct Region;

 private:
  Region* region_;
};

}  // namespace sluice::io
