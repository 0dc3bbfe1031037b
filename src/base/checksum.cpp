#include "base/checksum.h"

#include <zlib.h>

namespace sluice {

std::uint32_t crc32_of(std::span<const std::byte> bytes) noexcept {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void TensorChecksum::add(std::uint64_t offset, std::uint64_t size, std::uint32_t crc) noexcept {
  static_assert(sizeof(z_off_t) == 8, "tensors are larger than 2 GiB");
  value_ ^= static_cast<std::uint32_t>(
      ::crc32_combine(crc, 0, static_cast<z_off_t>(size_ - offset - size)));
}

}  // namespace sluice
