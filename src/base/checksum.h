#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct XXH3_state_s;

namespace sluice {

/// The CRC-32 of some bytes, as zlib, gzip and `crc32` have it.
/// \param before  the CRC-32 of the bytes before them, where they go on
std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before = 0) noexcept;

/// The CRC-32 of a tensor whose bytes come in pieces of any size and in any order. CRCs are linear:
/// a piece's CRC, shifted by the number of bytes that follow it in the tensor, is its share of the
/// whole, and shares add up by XOR.
class TensorChecksum {
 public:
  /// \param size  bytes of the tensor
  explicit TensorChecksum(std::uint64_t size = 0) : size_(size) {}

  /// Adds a piece by its own CRC, which any thread can compute beforehand. Each byte of the tensor
  /// belongs to exactly one piece.
  /// \param offset  of the piece in the tensor; it must end within the tensor
  void add(std::uint64_t offset, std::uint64_t size, std::uint32_t crc) noexcept;
  void add(std::uint64_t offset, std::span<const std::byte> bytes) noexcept {
    add(offset, bytes.size(), crc32_of(bytes));
  }

  /// The CRC-32 of the tensor, once every piece was added.
  std::uint32_t value() const noexcept { return value_; }

 private:
  std::uint64_t size_;
  std::uint32_t value_ = 0;
};

/// The 64-bit XXH3 of some bytes.
std::uint64_t xxh3_of(std::span<const std::byte> bytes) noexcept;

/// The 64-bit XXH3 of bytes that come in pieces, in order.
class StreamHash {
 public:
  StreamHash();

  void add(std::span<const std::byte> bytes) noexcept;

  /// The hash of all that was added, after which it begins anew.
  std::uint64_t take() noexcept;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const noexcept;
  };
  std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace sluice
