#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace sluice::inline SLUICE_ISA {

/// 16 rows of 16 bytes, turned in place.
static inline void transpose_bytes(std::array<std::uint8_t, 256>& bytes) noexcept {
  using Row = std::uint8_t __attribute__((vector_size(16)));
  std::array<Row, 16> rows;
  std::memcpy(rows.data(), bytes.data(), sizeof(rows));
  // Interleaving row i with row i + 8 moves the top bit of the row's number to the column's bottom;
  // four times, and they have changed places.
  for (int round = 0; round < 4; ++round) {
    std::array<Row, 16> next;
    for (std::size_t i = 0; i < 8; ++i) {
      next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20,
                                            5, 21, 6, 22, 7, 23);
      next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27,
                                                12, 28, 13, 29, 14, 30, 15, 31);
    }
    rows = next;
  }
  std::memcpy(bytes.data(), rows.data(), sizeof(rows));
}

}  // namespace sluice::inline SLUICE_ISA
