#pragma once

// What the benches' models are made of.

#include <cstdint>
#include <functional>
#include <ostream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "sluice/gguf.h"

namespace sluice::bench {

/// Rows of weights, in BF16: runs of the benchmarks' rows that start anywhere, so that no two are
/// likely to be the same.
class RandomWeights {
 public:
  RandomWeights();
  /// A row of so many elements; valid until the next call.
  std::span<const std::uint16_t> row(std::uint64_t elements);

 private:
  std::vector<std::uint16_t> weights_;
  std::vector<std::uint16_t> row_;
  std::mt19937_64 random_{2};
};

/// Writes a header and, for each of its tensors in turn, the data.
void write_gguf(const std::string& path, gguf::Header header,
                const std::function<void(const gguf::Tensor&, std::ostream&)>& write_data);

/// An importance matrix as llama.cpp writes it: sums of squared inputs and how many there were, for
/// each matrix but the embedding.
void write_imatrix(const std::string& path, std::span<const gguf::Tensor> tensors);

template <typename T>
void put(std::ostream& file, std::span<const T> values) {
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size_bytes()));
}

}  // namespace sluice::bench
