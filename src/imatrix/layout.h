#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::imatrix {

/// A weight tensor whose inputs' squares are summed.
struct Summed {
  std::string name;
  std::uint64_t columns = 1;
  std::uint64_t matrices = 1;
  bool counts_each = false;  ///< a count for each matrix (experts), not one for all (heads)

  std::uint64_t values() const { return columns * matrices; }
  std::uint64_t counts() const { return counts_each ? matrices : 1; }
};

/// Where sums and counts of a tensor lie in the file. Both are F32.
struct SumsPlace {
  Summed tensor;
  std::uint64_t sums = 0;    ///< of [matrices, columns]
  std::uint64_t counts = 0;  ///< of [matrices] or of one
};

/// What was run to get the sums.
struct SumsOrigin {
  std::vector<std::string> datasets;
  std::uint64_t chunks = 0;
  std::uint64_t chunk_size = 0;  ///< tokens
};

/// A file of importance values as llama.cpp writes it (GGUF): `NAME.in_sum2` and `NAME.counts` for each
/// tensor, by name. All places are known before the first sum is, and of a file that is all
/// zeros behind the header every tensor has not been seen yet.
class Layout {
 public:
  Layout(std::vector<Summed> tensors, SumsOrigin origin);

  std::span<const std::byte> header() const { return header_; }
  std::uint64_t size() const { return size_; }  ///< bytes of the file

  const SumsOrigin& origin() const { return origin_; }

  /// Null for a tensor that is not there.
  const SumsPlace* find(std::string_view tensor) const;
  const std::map<std::string, SumsPlace, std::less<>>& places() const { return places_; }

 private:
  SumsOrigin origin_;
  std::map<std::string, SumsPlace, std::less<>> places_;
  std::vector<std::byte> header_;
  std::uint64_t size_ = 0;
};

}  // namespace sluice::imatrix
