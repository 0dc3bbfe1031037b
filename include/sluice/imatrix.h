#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

/// An importance matrix: for every column of a weight tensor the mean square of the activations
/// that it met, one row of values per expert. Both llama.cpp formats are read, told apart by
/// content. The matrix of a large mixture-of-experts model takes a gigabyte, so this class keeps an
/// index only and reads rows from the bytes it was given.
class ImportanceMatrix {
 public:
  /// One tensor's values.
  struct Entry {
    std::uint64_t values_offset;  ///< of row 0, in the file
    std::uint64_t counts_offset;  ///< of expert 0's count (GGUF), unused for .dat
    std::uint64_t values;         ///< numbers in all, row length times experts
    std::uint64_t experts;        ///< rows; 1 in .dat files, which do not tell
    float divisor;                ///< .dat: ncall (1 if it is 0)
  };

  /// Indexes a file's bytes, which must outlive the object.
  /// \throws Error (imatrix_format) naming file and offset.
  static ImportanceMatrix parse(std::span<const std::byte> bytes, const std::string& file);

  const std::string& file() const { return file_; }
  const std::string& dataset() const { return dataset_; }  ///< several joined by ", "
  std::uint64_t chunks() const { return chunks_; }
  std::size_t size() const { return entries_.size(); }

  /// The entry that serves a model's tensor: its own, or that of a tensor which sees the same
  /// activations under another name (`attn_kv_b` for `attn_k_b` and `attn_v_b`, merged
  /// `ffn_gate_up_exps`, `ffn_up` for a missing `ffn_gate` and the other way round). Null if none.
  const Entry* find(std::string_view tensor) const;

  /// Reads the row of one expert (0 for tensors without experts) into `out`.
  /// An expert that saw no token, or whose values are not usable (a NaN, a negative number, all
  /// zeros), counts as ones: returns false then.
  /// \pre out.size() * experts of the tensor == entry.values
  bool read_row(const Entry& entry, std::uint64_t expert, std::span<float> out) const;

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  std::string dataset_;
  std::uint64_t chunks_ = 0;
  bool gguf_ = false;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace sluice
