#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/tensor_type.h"

#pragma GCC visibility push(default)

/// The GGUF container: reading and writing headers over byte spans. Nothing here opens a file.
namespace sluice::gguf {

enum class ValueType : std::uint32_t {
  u8 = 0,
  i8 = 1,
  u16 = 2,
  i16 = 3,
  u32 = 4,
  i32 = 5,
  f32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  u64 = 10,
  i64 = 11,
  f64 = 12,
};

/// "u8", "string", "bool", "array", …; "?" for a number that is none of them.
std::string_view name(ValueType type) noexcept;

/// A metadata value, kept as the bytes of the file (without the leading type number), so that
/// whatever a model carries is written back unchanged.
struct Value {
  ValueType type = ValueType::u8;
  std::vector<std::byte> bytes;

  static Value of(std::uint16_t v);
  static Value of(std::uint32_t v);
  static Value of(std::int32_t v);
  static Value of(float v);
  static Value of(bool v);
  static Value of(std::string_view v);
  static Value of(const char* v);  ///< without it a literal would become a bool
  static Value of_strings(std::span<const std::string> v);
  static Value of_floats(std::span<const float> v);
  static Value of_ints(std::span<const std::int32_t> v);

  /// The value as an unsigned number, if it is an integer (of any width, not negative).
  std::optional<std::uint64_t> as_uint() const;
  /// The value as a signed number, if it is an integer that fits.
  std::optional<std::int64_t> as_int() const;
  /// The value as a number, if it is of a floating-point type.
  std::optional<double> as_float() const;
  /// The value as a truth value, if it is one (any byte but 0 is true).
  std::optional<bool> as_bool() const;
  /// The value as a string.
  std::optional<std::string> as_string() const;
  /// The elements as unsigned numbers, if it is an array of integers, none negative (llama.cpp
  /// writes one number a layer for some keys).
  std::optional<std::vector<std::uint64_t>> as_uints() const;
  /// The elements, if it is an array of strings.
  std::optional<std::vector<std::string>> as_strings() const;

  /// What an array holds, without looking at its elements. Nothing if it is none.
  struct ArrayInfo {
    ValueType element = ValueType::u8;
    std::uint64_t count = 0;
  };
  std::optional<ArrayInfo> as_array() const;
  /// The first elements of an array, arrays among them, at most so many. None if it is no array.
  std::vector<Value> elements(std::uint64_t most) const;
};

struct KeyValue {
  std::string key;
  Value value;
};

/// A tensor as the header describes it.
struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;  ///< 1 to 4 extents, row length first; any may be 0
  TensorType type = TensorType::f32;
  std::uint64_t offset = 0;  ///< bytes from the start of the data section
  /// Bytes, padding not included. Of a type of unknown layout: all that lies between the tensor's
  /// beginning and the next one's, or the file's end.
  std::uint64_t size = 0;

  std::uint64_t row_elements() const { return shape.at(0); }
  std::uint64_t elements() const;
};

struct Header {
  std::uint32_t version = 3;
  std::uint64_t alignment = 32;
  std::vector<KeyValue> metadata;
  std::vector<Tensor> tensors;
  std::uint64_t end = 0;          ///< where the last description ends in the file
  std::uint64_t data_offset = 0;  ///< where the data section starts in the file

  /// A metadata value, or null.
  const Value* find(std::string_view key) const;
  /// Replaces a metadata value where it stands, or appends a new one.
  void set(std::string_view key, Value value);
  /// Removes a metadata value. Returns whether there was one.
  bool erase(std::string_view key);
};

/// Parses the header from the first bytes of a file.
///
/// \param prefix     the file's first bytes
/// \param file_size  the file's whole size; counts, lengths and offsets are checked against it
///                   before they are used
/// \param file       the name for error messages
/// \returns the header, or nothing if it goes on beyond `prefix` and the file is longer: read more
///          and call again.
/// \throws Error naming file, tensor and offset.
///         input_format: wrong magic, version 1 or big-endian, an alignment that is no power of two
///         up to 16 MiB, a header of more than 256 MiB, duplicate keys or tensor names, names that
///         are empty, too long (keys 65535 bytes, tensors 1024) or not UTF-8, arrays nested more
///         than 8 deep, rows that are no whole blocks, extents whose product overflows, offsets
///         misaligned or overlapping.
///         input_truncated: counts, lengths or tensor data beyond the end of the file.
std::optional<Header> parse_header(std::span<const std::byte> prefix, std::uint64_t file_size,
                                   const std::string& file);

/// Sets each tensor's `size` and `offset` so that they follow one another as llama.cpp demands:
/// offset[i + 1] = offset[i] + size[i] rounded up to the alignment. Rows must be whole blocks. Of
/// types that are not all blocks the `size` is used as it stands.
/// \returns the size of the data section, the last tensor's padding included.
/// \throws Error (input_format) if it is no 64-bit number.
std::uint64_t lay_out(std::span<Tensor> tensors, std::uint64_t alignment);

/// The bytes of a version 3 header: magic to padding, so that the data section follows at
/// `bytes.size()`. Uses each tensor's offset as it stands. If `header.alignment` is not 32, the
/// metadata must carry `general.alignment`.
std::vector<std::byte> serialize_header(const Header& header);

}  // namespace sluice::gguf

#pragma GCC visibility pop
