#pragma once

// The header of a safetensors file: eight bytes of length, JSON, then the tensors' data.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::checkpoint {

/// Element types. What each is for: see `name`.
enum class Dtype : std::uint8_t {
  f64,
  i64,
  u64,
  c64,
  f32,
  i32,
  u32,
  f16,
  bf16,
  i16,
  u16,
  f8_e4m3,
  f8_e5m2,
  f8_e8m0,
  boolean,
  u8,
  i8,
  f6_e2m3,
  f6_e3m2,
  f4,
};

/// As in headers: "BF16", "F8_E4M3", ...
std::string_view name(Dtype dtype) noexcept;

/// Bits of an element.
unsigned bits(Dtype dtype) noexcept;

/// A tensor as the header describes it.
struct Entry {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::uint64_t> shape;  ///< last index fastest; none: one element
  std::uint64_t offset = 0;          ///< of its data, from the file's start; of any alignment
  std::uint64_t size = 0;            ///< bytes
};

/// Bytes that tell how long the header is.
inline constexpr std::size_t kLengthBytes = 8;

/// Where the data begin: so many first bytes are the header.
/// \param start      at least the file's first eight bytes
/// \param file_size  the file's whole size
/// \throws Error (input_format, input_truncated) naming the file
std::uint64_t data_offset(std::span<const std::byte> start, std::uint64_t file_size,
                          const std::string& file);

/// Reads the header.
/// \param header     the file's first bytes, as many as `data_offset` says
/// \returns the tensors in the order of their data
/// \throws Error naming file and tensor. input_format: no JSON object, a name twice, an unknown
///         type, a shape that overflows or does not fit the range, ranges that overlap or leave
///         holes, bytes after the last. input_truncated: data beyond the file's end.
std::vector<Entry> parse_header(std::span<const std::byte> header, std::uint64_t file_size,
                                const std::string& file);

}  // namespace sluice::checkpoint
