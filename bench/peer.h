#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "sluice/tensor_type.h"

namespace sluice::bench {

/// Another quantizer: a shared library of the ggml family, loaded at run time.
class Peer {
 public:
  /// \param argument `PATH` or `LABEL=PATH`; without a label it is the file's name
  /// \throws std::runtime_error if the library cannot be loaded or does not quantize
  explicit Peer(const std::string& argument);

  const std::string& label() const { return label_; }

  /// Whether the library quantizes to this type.
  bool knows(TensorType type) const;

  /// Builds what the library needs once for a type, as its tools do before they quantize.
  void prepare(TensorType type) const;

  /// Encodes rows of `row_elements` values; `importance` has one value a column.
  void encode(TensorType type, const float* values, std::size_t rows, std::size_t row_elements,
              const float* importance, std::byte* out) const;

 private:
  // llama.cpp's function has seven parameters, ik_llama.cpp's an eighth, a pointer to options that
  // may be null. With the calling conventions of x86-64 and AArch64 a function does not notice an
  // argument too many at the end.
  using QuantizeChunk = std::size_t (*)(int type, const float* source, void* destination,
                                        std::int64_t start, std::int64_t rows,
                                        std::int64_t row_elements, const float* importance,
                                        const void* options);
  using QuantizeInit = void (*)(int type);
  using TypeName = const char* (*)(int type);

  std::string label_;
  void* library_;  // never closed: benchmarks use it until the program ends
  QuantizeChunk quantize_chunk_;
  QuantizeInit quantize_init_;
  TypeName type_name_;
};

}  // namespace sluice::bench
