#pragma once

// What every importance matrix that was parsed promises.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fuzz/expect.h"
#include "imatrix/importance_matrix.h"

namespace sluice::fuzzing {

inline void expect_rows(const ImportanceMatrix& matrix, const std::string& tensor,
                        std::uint64_t row_elements, std::uint64_t experts) {
  if (row_elements == 0) return;  // no tensor has empty rows
  try {
    const ImportanceMatrix::Entry* entry = matrix.find(tensor, row_elements, experts);
    if (entry == nullptr) return;
    std::vector<float> row(row_elements);
    for (const std::uint64_t expert : {std::uint64_t{0}, experts / 2, experts - 1}) {
      const bool usable = matrix.read_row(*entry, expert, row);
      const auto is_fit = [](float q) { return q >= 0 && std::isfinite(q); };
      FUZZ_EXPECT(std::all_of(row.begin(), row.end(), is_fit));
      FUZZ_EXPECT(usable || std::all_of(row.begin(), row.end(), [](float q) { return q == 1; }));
      FUZZ_EXPECT(std::any_of(row.begin(), row.end(), [](float q) { return q > 0; }));
    }
  } catch (const Error& error) {
    FUZZ_EXPECT(error.code() == ErrorCode::imatrix_length);
    expect_clear(error);
  }
}

/// Entries lie in the file, and rows can be read whatever model they are asked for.
inline void expect_sound(const ImportanceMatrix::Index& index, const ImportanceMatrix& matrix,
                         std::span<const std::byte> bytes) {
  FUZZ_EXPECT(matrix.size() == index.entries.size());
  for (const auto& [name, entry] : index.entries) {
    FUZZ_EXPECT(entry.values > 0);
    FUZZ_EXPECT(entry.values_offset <= bytes.size());
    FUZZ_EXPECT(entry.values <= (bytes.size() - entry.values_offset) / sizeof(float));
    FUZZ_EXPECT(entry.counts <= (bytes.size() - entry.counts_offset) / sizeof(float));
    for (const std::uint64_t experts : {std::uint64_t{1}, entry.counts, std::uint64_t{3}}) {
      if (experts == 0) continue;
      expect_rows(matrix, name, entry.values / experts, experts);
      // Tensors that make do with another's row, if the length fits.
      for (const char* kind : {"ffn_gate", "ffn_up_exps", "ffn_gate_up_exps", "attn_v_b"}) {
        const std::string layer = name.substr(0, name.find('.', name.find('.') + 1));
        expect_rows(matrix, layer + "." + kind + ".weight", entry.values / experts, experts);
      }
    }
    expect_rows(matrix, name, std::uint64_t{1} << 32, std::uint64_t{1} << 32);
  }
}

/// Parses with one format's function and as users do, and checks what comes of it.
template <typename IndexFunction>
void check_matrix(std::span<const std::byte> bytes, IndexFunction index_function) {
  try {
    const ImportanceMatrix::Index index = index_function(bytes, kFile);
    expect_sound(index, ImportanceMatrix::parse(bytes, kFile), bytes);
  } catch (const Error& error) {
    FUZZ_EXPECT(error.code() == ErrorCode::imatrix_format);
    FUZZ_EXPECT(error.context().offset);
    expect_clear(error);
  }
}

}  // namespace sluice::fuzzing
