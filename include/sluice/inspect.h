#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/gguf.h"

#pragma GCC visibility push(default)

namespace sluice {

/// One file of a model.
struct InspectedFile {
  std::string path;
  std::uint64_t size = 0;         ///< bytes
  std::uint32_t version = 3;      ///< of GGUF; 0: safetensors
  std::uint64_t alignment = 32;   ///< of GGUF
  std::uint64_t data_offset = 0;  ///< of GGUF: where the data section starts
};

/// A tensor and where its bytes lie.
struct InspectedTensor {
  std::string name;
  std::vector<std::uint64_t> shape;   ///< row length first
  TensorType type = TensorType::f32;  ///< of a checkpoint's tensor the nearest
  /// How a checkpoint holds the weights: "bf16", "f8_e4m3 128x128" with a factor for each such
  /// block; "computed" from the configuration. Empty: of `type`.
  std::string stored_as = {};
  std::uint64_t size = 0;    ///< bytes in the files
  std::size_t file = 0;      ///< index into Inspection::files; of several, the first that is used
  std::uint64_t offset = 0;  ///< in that file

  /// Whether the type's layout is known. Else the tensor may be smaller by the padding after it.
  bool size_known() const noexcept { return info(type).block_bytes > 0 || size == 0; }
};

/// What all tensors of a type have together.
struct TypeTotal {
  std::uint64_t tensors = 0;
  std::uint64_t weights = 0;
  std::uint64_t bytes = 0;
};

/// What to tell of a model: what fits any of the patterns and types; without any, everything. Keys
/// alone leave out all tensors, and names or types all metadata.
struct InspectionFilter {
  std::vector<std::string> keys;     ///< patterns of metadata keys
  std::vector<std::string> tensors;  ///< patterns of tensor names
  std::vector<TensorType> types;
  /// The patterns are regular expressions, for any part of a name, in place of shell patterns for
  /// the whole of it (`blk.*.ffn_*`).
  bool regular_expressions = false;
};

/// What the headers of a model say.
struct Inspection {
  std::vector<InspectedFile> files;  ///< all parts in order
  std::vector<std::string> notes;    ///< why llama.cpp would not load them, what is left out
  std::uint64_t tensor_count = 0;    ///< of the whole model, as are the next two
  std::uint64_t weights = 0;
  std::uint64_t data_bytes = 0;          ///< of all tensors
  bool tells_metadata = true;            ///< as the filter asked
  std::vector<gguf::KeyValue> metadata;  ///< of the first part, without the keys of splitting
  bool tells_tensors = true;
  std::vector<InspectedTensor> tensors;               ///< of all parts, in order
  std::map<std::string_view, TypeTotal> type_totals;  ///< of `tensors`, by the types' names
};

/// Reads the headers of a GGUF file, or of all parts of a split one when any of them is named:
/// models, importance matrices, vocabularies. Or those of a published checkpoint, by its folder, its
/// index or any part, as the GGUF model that is made of it. Takes as long for a terabyte as for a
/// kilobyte.
/// \throws Error (input_open, input_format, input_truncated, input_type, input_read; usage naming
///         a regular expression that is none, or that takes too long to match)
Inspection inspect(const std::string& path, const InspectionFilter& filter = {});

}  // namespace sluice

#pragma GCC visibility pop
