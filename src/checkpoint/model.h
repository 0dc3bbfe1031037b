#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/safetensors.h"
#include "sluice/gguf.h"

namespace sluice::checkpoint {

/// Where a stored tensor's numbers lie: in which part, and at which byte of it.
struct Place {
  std::size_t part = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// How a stored tensor's codes become weights.
enum class Packing {
  plain,  ///< each element is a number of `dtype`
  int4,   ///< words of 32 bits along a row, lowest bits first, less 8: compressed-tensors' pack-quantized
  int8,   ///< the same with 8 bits, less 128
  mxfp4,  ///< two E2M1 codes a byte, low nibble first, a scale of 2^(b - 127) for 32 of a row
};

/// Factors of a stored tensor's weights. Weight (r, c) is its code times the factor at
/// (r / block_rows, c / block_columns) of a matrix.
struct Scales {
  Place place;
  Dtype dtype = Dtype::f32;
  std::uint64_t block_rows = 1;
  std::uint64_t block_columns = 1;
  std::uint64_t columns = 1;  ///< of the matrix of factors
};

/// A tensor as it lies in the checkpoint.
struct Stored {
  std::string name;
  Place place;
  Dtype dtype = Dtype::f32;
  Packing packing = Packing::plain;
  std::vector<std::uint64_t> shape;  ///< of the weights, last index fastest
  std::optional<Scales> scales;      ///< over all indices but the last as rows, the last as columns

  std::uint64_t elements() const;
  std::uint64_t columns() const { return shape.empty() ? 1 : shape.back(); }
};

/// One axis of a view: so many steps of so many elements.
struct Axis {
  std::uint64_t count = 1;
  std::uint64_t stride = 1;
};

/// Elements of a stored tensor in another order: element (i0, i1, ...) is the stored one at
/// first + i0 * axes[0].stride + i1 * axes[1].stride + ... Slices, transposes, the rows of rotary
/// pairs, interleaved rows and splits are all views. The last axis is along a row of the tensor that
/// is made; its stride is 1 unless the view transposes.
struct View {
  std::size_t stored = 0;  ///< which of Model::stored
  std::uint64_t first = 0;
  std::vector<Axis> axes;
};

/// What is done to each weight after decoding, in F32.
enum class Change { none, add_one, minus_exp };

/// A tensor of the model that the checkpoint stands for, made of views, one after the other, or of
/// numbers that the configuration gives.
struct Source {
  std::vector<View> views;
  Change change = Change::none;
  std::vector<float> values;  ///< if there are no views
};

/// A checkpoint as the GGUF model that it stands for.
struct Model {
  /// Metadata, and the tensors with their names and shapes as in GGUF, by layer. A tensor's type is
  /// what its numbers are nearest to: F32, F16, BF16; BF16 for those with scales; MXFP4 where blocks
  /// can be moved as they are. Offsets mean nothing.
  gguf::Header header;
  std::vector<Source> sources;  ///< one for each tensor of the header
  std::vector<Stored> stored;
};

}  // namespace sluice::checkpoint
