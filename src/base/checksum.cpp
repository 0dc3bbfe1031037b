#include "base/checksum.h"

#include <libdeflate.h>
#include <xxhash.h>
#include <zlib.h>

#include <new>

namespace sluice {

std::uint32_t crc32_of(std::span<const std::byte> bytes, std::uint32_t before) noexcept {
  // By carry-less multiplication, where the CPU has it: zlib's takes three times as long and more.
  return bytes.empty() ? before : ::libdeflate_crc32(before, bytes.data(), bytes.size());
}

std::uint64_t xxh3_of(std::span<const std::byte> bytes) noexcept {
  return ::XXH3_64bits(bytes.data(), bytes.size());
}

void TensorChecksum::add(std::uint64_t offset, std::uint64_t size, std::uint32_t crc) noexcept {
  static_assert(sizeof(z_off_t) == 8, "tensors are larger than 2 GiB");
  value_ ^= static_cast<std::uint32_t>(
      ::crc32_combine(crc, 0, static_cast<z_off_t>(size_ - offset - size)));
}

StreamHash::StreamHash() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_64bits_reset(state_.get());
}

void StreamHash::Free::operator()(XXH3_state_s* state) const noexcept {
  XXH3_freeState(state);
}

void StreamHash::add(std::span<const std::byte> bytes) noexcept {
  XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
}

std::uint64_t StreamHash::take() noexcept {
  const std::uint64_t hash = XXH3_64bits_digest(state_.get());
  XXH3_64bits_reset(state_.get());
  return hash;
}

}  // namespace sluice
