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
  int4,   ///< words of 32 bits along a row, which begins with a new one; lowest bits first, less 8
  int8,   ///< the same with 8 bits, less 128
  mxfp4,  ///< two E2M1 codes a byte, low nibble first; rows have a multiple of 32
};

/// Factors of a stored tensor's weights. The last two indices are a matrix's row and column (a
/// tensor of one is a matrix of one row), what is before them tells the matrices apart: weight
/// (m, r, c) is its code times the factor
/// m * matrix + (r / block_rows) * columns + c / block_columns.
struct Scales {
  Place place;
  Dtype dtype = Dtype::f32;  ///< F32, F16, BF16 or F8_E8M0, whose byte b is 2^(b - 127)
  std::uint64_t block_rows = 1;
  std::uint64_t block_columns = 1;
  std::uint64_t columns = 1;  ///< factors in a row of blocks
  std::uint64_t matrix = 0;   ///< factors of a matrix; 0 if all matrices have the same
};

/// A tensor as it lies in the checkpoint.
struct Stored {
  std::string name;
  Place place;
  Dtype dtype = Dtype::f32;
  Packing packing = Packing::plain;
  std::vector<std::uint64_t> shape;  ///< of the weights, last index fastest
  std::optional<Scales> scales;

  std::uint64_t elements() const;
  std::uint64_t columns() const { return shape.empty() ? 1 : shape.back(); }
  /// Rows of a matrix of the last two indices.
  std::uint64_t rows() const { return shape.size() < 2 ? 1 : shape[shape.size() - 2]; }
};

/// One axis of a view: so many steps of so many elements.
struct Axis {
  std::uint64_t count = 1;
  std::uint64_t stride = 1;
};

/// Elements of a stored tensor in another order: element (i0, i1, ...) is the stored one at
/// first + i0 * axes[0].stride + i1 * axes[1].stride + ... Slices, transposes, the rows of rotary
/// pairs, interleaved rows and splits are all views. The elements, last index fastest, follow one
/// another in the tensor that is made. The last axis lies within a row of that; it is the whole row,
/// of stride 1, unless the view transposes or permutes a bias.
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
  std::vector<View> views;  ///< each makes whole rows, in the tensor's order
  Change change = Change::none;
  std::vector<float> values;  ///< if there are no views
};

/// A checkpoint as the GGUF model that it stands for.
struct Model {
  /// Metadata, and the tensors with their names and shapes as in GGUF, by layer. A tensor's type is
  /// what its numbers are nearest to: F32, F16, BF16; BF16 for those with scales; MXFP4 where blocks
  /// can be moved as they are. F32 is also what must not be made anything else (vectors, routers).
  /// Offsets follow one another as if the tensors were made of these types.
  gguf::Header header;
  std::vector<Source> sources;       ///< one for each tensor of the header
  std::vector<Stored> stored;        ///< what the views refer to, and what no tensor is made of
  std::vector<std::string> skipped;  ///< stored tensors that the model does not have
};

}  // namespace sluice::checkpoint
