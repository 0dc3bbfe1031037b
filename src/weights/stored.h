#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sluice/tensor_type.h"

// Weights as files hold them, and which of them each tensor of a model is made of. A tensor of a GGUF
// file is one range of bytes; one of a published checkpoint may be put together from many stored
// tensors, transposed, or multiplied by factors that lie elsewhere.

namespace sluice::weights {

/// Where a stored tensor's numbers lie: in which part, and at which byte of it.
struct Place {
  std::size_t part = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// How a stored tensor's weights are coded.
enum class Coding : std::uint8_t {
  typed,    ///< as Stored::type has them in GGUF
  f8_e4m3,  ///< a byte each: no infinity, NaN is 0x7f and 0xff
  f8_e5m2,  ///< a byte each, the upper half of an F16
  int8,     ///< a byte each
  words4,  ///< words of 32 bits along a row, which begins with a new one; lowest bits first, less 8
  words8,  ///< the same with 8 bits, less 128
  mxfp4,   ///< two E2M1 codes a byte, low nibble first; rows have a multiple of 32
  nvfp4,   ///< the same; rows have a multiple of 16
  nvfp4_across,  ///< the same down the columns: a byte has the codes of two rows, the upper one's low
};

/// Factors of a stored tensor's weights. The last two indices are a matrix's row and column (a
/// tensor of one is a matrix of one row), what is before them tells the matrices apart: weight
/// (m, r, c) is its code times the factor
/// m * matrix + (r / block_rows) * columns + c / block_columns.
struct Scales {
  /// How a factor is coded: as a number, or as a byte b that stands for 2^(b - 127).
  enum class Type : std::uint8_t { f32, f16, bf16, e8m0, f8_e4m3 };

  Place place;
  Type type = Type::f32;
  std::uint64_t block_rows = 1;
  std::uint64_t block_columns = 1;
  std::uint64_t columns = 1;  ///< factors in a row of blocks
  std::uint64_t matrix = 0;   ///< factors of a matrix; 0 if all matrices have the same
  /// What the factors themselves are multiplied by, or divided by, in F32, before they are factors:
  /// nothing, one number, or one for each matrix.
  std::vector<float> common = {};
  bool divided = false;
};

/// A tensor as it lies in a file.
struct Stored {
  std::string name;
  Place place;
  Coding coding = Coding::typed;
  TensorType type = TensorType::f32;  ///< of Coding::typed
  std::vector<std::uint64_t> shape;   ///< of the weights, last index fastest
  std::optional<Scales> scales;

  std::uint64_t elements() const;
  std::uint64_t columns() const { return shape.empty() ? 1 : shape.back(); }
  /// Rows of a matrix of the last two indices.
  std::uint64_t rows() const { return shape.size() < 2 ? 1 : shape[shape.size() - 2]; }
  /// Weights of each of the rows that a row of the stored tensor holds, where its type stores several
  /// together; else all of them. \pre Coding::typed
  std::uint64_t typed_columns() const { return columns() / info(type).rows; }
  /// Rows whose codes are in the same bytes, each with one before or behind it.
  std::uint64_t joint_rows() const { return coding == Coding::nvfp4_across ? 2 : 1; }
  /// Bytes of a row of `columns()` weights, or of all that are in the same bytes.
  std::uint64_t row_bytes() const;
  /// Where the code of a weight is, or the block, the word or the row with a scale that holds it:
  /// bytes from the first.
  std::uint64_t offset_of(std::uint64_t element) const;
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
  std::size_t stored = 0;  ///< which of Weights::stored
  std::uint64_t first = 0;
  std::vector<Axis> axes;
};

/// What is done to each weight after decoding, in F32.
enum class Change : std::uint8_t { none, add_one, minus_exp };

/// What a tensor is made of: views, one after the other, or numbers that the configuration gives.
struct Source {
  std::vector<View> views;  ///< each makes whole rows, in the tensor's order
  Change change = Change::none;
  std::vector<float> values;  ///< if there are no views
};

/// The weights of a model: what its files hold, and what each of its tensors is made of.
struct Weights {
  std::vector<Stored> stored;   ///< what the views refer to, and what no tensor is made of
  std::vector<Source> sources;  ///< one for each of the model's tensors
};

/// How a tensor's weights are stored, for people: "bf16", "f8_e4m3 128x128" with a factor for each
/// such block, "int4 1x32", "f8_e4m3 rows", "mxfp4"; "computed" if they are not, "nothing" if there
/// are none.
std::string stored_as(const Weights& weights, const Source& source);

/// Where the first of what a tensor is made of lies. One without weights has no views: of a GGUF file,
/// where there is a stored tensor for each, it lies where that one does. Nowhere, if it is computed.
Place place_of(const Weights& weights, std::size_t tensor);

/// Bytes of the files that a tensor is made of, with its share of factors.
std::uint64_t stored_bytes(const Weights& weights, const Source& source);

}  // namespace sluice::weights
