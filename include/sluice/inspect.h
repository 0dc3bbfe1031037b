#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/gguf.h"

#pragma GCC visibility push(default)

namespace sluice {

/// One file of a model.
struct InspectedFile {
  std::string path;
  std::uint64_t size = 0;  ///< bytes
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;
  std::uint64_t data_offset = 0;  ///< where the data section starts
};

/// A tensor and where its bytes lie.
struct InspectedTensor {
  std::string name;
  std::vector<std::uint64_t> shape;  ///< row length first
  TensorType type = TensorType::f32;
  std::uint64_t size = 0;    ///< bytes
  std::size_t file = 0;      ///< index into Inspection::files
  std::uint64_t offset = 0;  ///< in that file
};

/// What the headers of a model say.
struct Inspection {
  std::vector<InspectedFile> files;      ///< all parts in order
  std::vector<gguf::KeyValue> metadata;  ///< of the first part, without the keys of splitting
  std::vector<InspectedTensor> tensors;  ///< of all parts, in order
  std::uint64_t weights = 0;
  std::uint64_t data_bytes = 0;  ///< of all tensors
};

/// Reads the headers of a GGUF file, or of all parts of a split one when any of them is named:
/// models, importance matrices, vocabularies. Takes as long for a terabyte as for a kilobyte.
/// \throws Error (input_open, input_format, input_truncated, input_type, input_read)
Inspection inspect(const std::string& path);

}  // namespace sluice

#pragma GCC visibility pop
