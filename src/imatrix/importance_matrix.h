#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sluice/quantize.h"

namespace sluice {

/// An importance matrix: for every column of a weight tensor the mean square of the activations
/// that it met, one row of values per expert. Both llama.cpp formats are read, told apart by
/// content. The matrix of a large mixture-of-experts model takes a gigabyte, so this class keeps an
/// index only and reads rows from the bytes it was given.
class ImportanceMatrix {
 public:
  /// One tensor's values: rows one after the other, as long as the tensor's rows.
  struct Entry {
    std::uint64_t values_offset;  ///< of row 0, in the file
    std::uint64_t counts_offset;  ///< of the first count, in the file (GGUF)
    std::uint64_t values;         ///< numbers in all, row length times experts
    std::uint64_t counts;  ///< counts (GGUF), each for values / counts values; 0 in .dat files
    float divisor;         ///< .dat: the number of calls (1 if it is not positive)
  };

  /// What the file holds, by name of the tensor.
  struct Index {
    std::map<std::string, Entry, std::less<>> entries;
    std::string dataset;
    std::uint64_t chunks = 0;
    bool gguf = false;
  };

  /// Indexes a file's bytes, which must outlive the object. Values are not looked at.
  /// \throws Error (imatrix_format) naming file and offset.
  static ImportanceMatrix parse(std::span<const std::byte> bytes, const std::string& file);

  /// Drops the entries that do not count; `find` gives nothing for such tensors then.
  /// \throws Error (usage) if a part of a name is empty
  void keep_only(const ImatrixFilter& filter);

  /// Whether the filter lets a tensor's importance count.
  bool counts(std::string_view tensor) const;

  const std::string& file() const { return file_; }
  const std::string& dataset() const { return index_.dataset; }  ///< several joined by ", "
  std::uint64_t chunks() const { return index_.chunks; }         ///< 0 if the file does not tell
  std::size_t size() const { return index_.entries.size(); }     ///< entries that count

  /// The entry that serves a tensor: its own, or else that of a tensor which sees the same
  /// activations under another name and whose length fits: `ffn_up` for `ffn_gate` and the other
  /// way round (shared experts alike), merged `ffn_gate_up_exps` for `ffn_gate_exps` and
  /// `ffn_up_exps` and the other way round, `attn_kv_b` for `attn_k_b` and `attn_v_b`, `attn_v_b`
  /// for `attn_kv_b`.
  ///
  /// An own entry whose length does not fit is an error, as in llama.cpp, since the matrix is of
  /// another model then. Only `token_embd.weight` does without.
  ///
  /// \param tensor        the tensor's name in the model
  /// \param row_elements  length of its rows
  /// \param experts       its matrices, each with a row of its own: product of all extents from the
  ///                      third on (experts, or heads in multi-head latent attention)
  /// \returns null if there is none
  /// \throws Error (imatrix_length) naming tensor, numbers found and wanted
  const Entry* find(std::string_view tensor, std::uint64_t row_elements,
                    std::uint64_t experts) const;

  /// Looks at all values and counts of an entry.
  /// \param entry         from `find` for this tensor
  /// \param row_elements  length of the tensor's rows
  /// \returns rows that count as ones, being zero or of an expert that saw no token
  /// \throws Error (imatrix_format) naming file, tensor and offset of what is NaN, infinite or
  ///         negative
  std::uint64_t check_values(const Entry& entry, std::uint64_t row_elements,
                             const std::string& tensor) const;

  /// Reads the row of one expert (0 for tensors without experts) into `out`, finite and not
  /// negative. A row whose expert saw no token, or which is not usable (a value is NaN, infinite or
  /// negative, or all are zero), counts as ones: returns false then.
  /// \param entry   from `find` for this tensor; one of a single row serves all experts
  /// \param expert  less than the tensor's experts
  /// \param out     [row_elements]
  bool read_row(const Entry& entry, std::uint64_t expert, std::span<float> out) const;

  /// How often an expert's row was added to: its tokens; 0 if the file does not tell them apart.
  /// \param entry   from `find` for a tensor with
  /// \param experts matrices
  double uses(const Entry& entry, std::uint64_t expert, std::uint64_t experts) const;

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  Index index_;
  ImatrixFilter filter_;
};

}  // namespace sluice
