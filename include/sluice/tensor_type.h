#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#pragma GCC visibility push(default)

namespace sluice {

/// Tensor types by their number in GGUF files. Numbers from 133 on exist in ik_llama.cpp only. A
/// file may hold numbers that have no enumerator: tensors of such types are shown and copied.
enum class TensorType : std::uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q8_1 = 9,
  q2_k = 10,
  q3_k = 11,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  q8_k = 15,
  iq2_xxs = 16,
  iq2_xs = 17,
  iq3_xxs = 18,
  iq1_s = 19,
  iq4_nl = 20,
  iq3_s = 21,
  iq2_s = 22,
  iq4_xs = 23,
  i8 = 24,
  i16 = 25,
  i32 = 26,
  i64 = 27,
  f64 = 28,
  iq1_m = 29,
  bf16 = 30,
  tq1_0 = 34,
  tq2_0 = 35,
  mxfp4 = 39,
  nvfp4 = 40,
  q1_0 = 41,
  q2_0 = 42,
  q6_0 = 133,
  iq1_bn = 134,
  iq2_bn = 135,
  iq2_k = 137,
  iq3_k = 138,
  iq4_k = 139,
  iq5_k = 140,
  iq6_k = 141,
  iq4_ks = 144,
  iq2_ks = 145,
  iq4_kss = 146,
  q8_kv = 151,
  iq5_ks = 152,
  iq2_kt = 153,
  iq3_kt = 154,
  iq4_kt = 155,
  iq3_ks = 156,
  iq2_kl = 157,
  iq1_kt = 158,
  q4_0_r8 = 202,
  q5_0_r4 = 206,
  q8_0_r8 = 208,
  q2_k_r4 = 210,
  q3_k_r4 = 211,
  q4_k_r4 = 212,
  q5_k_r4 = 213,
  q6_k_r4 = 214,
  iq2_xxs_r4 = 216,
  iq2_xs_r4 = 217,
  iq3_xxs_r4 = 218,
  iq1_s_r4 = 219,
  iq4_nl_r4 = 220,
  iq3_s_r4 = 221,
  iq2_s_r4 = 222,
  iq4_xs_r8 = 223,
  iq1_m_r4 = 229,
  bf16_r16 = 230,
  q6_0_r4 = 233,
  iq2_bn_r4 = 335,
  iq2_k_r4 = 337,
  iq3_k_r4 = 338,
  iq4_k_r4 = 339,
  iq5_k_r4 = 340,
  iq4_ks_r4 = 344,
  iq5_ks_r4 = 352,
  mxfp4_r8 = 353,
  q8_k_r16 = 397,
  q8_kv_r8 = 398,
  q8_k_r8 = 399,
};

/// What a type's number says about its storage: a row is a sequence of fixed-size blocks, before which
/// there may be a scale for all of it. Where several rows are stored together, a group of so many
/// neighbouring rows is one sequence, with all of its rows' scales at the begin.
struct TensorTypeInfo {
  TensorType type;
  std::string_view name;         ///< lower case, as in `iq1_m`; `#77` if the number is not known
  std::uint32_t block_elements;  ///< weights in a block; a row holds whole blocks
  std::uint32_t block_bytes;     ///< bytes of a block; 0: not known
  std::uint32_t row_bytes = 0;   ///< bytes of a row beside its blocks: its scale
  std::uint32_t rows = 1;        ///< rows that are stored together; a matrix has a multiple of it
};

/// All types with an enumerator.
std::span<const TensorTypeInfo> tensor_types() noexcept;

/// The entry for a number read from a file, or null if it is not known.
const TensorTypeInfo* find_tensor_type(std::uint32_t number) noexcept;

/// The entry for a name in any letter case, or null.
const TensorTypeInfo* find_tensor_type(std::string_view name) noexcept;

/// The entry for a type. There is one for every number; it stays for as long as the program.
const TensorTypeInfo& info(TensorType type) noexcept;

/// Whether it is known where rows of the type lie. Of others only a tensor's whole size is known.
inline bool has_layout(TensorType type) noexcept {
  return info(type).block_bytes > 0;
}

/// Whether tensors of the type are sequences of blocks and nothing else, so that they can be cut
/// after any block. Others that have a layout can be cut after whole rows, or groups of rows.
inline bool is_all_blocks(TensorType type) noexcept {
  const TensorTypeInfo& t = info(type);
  return t.block_bytes > 0 && t.row_bytes == 0 && t.rows == 1;
}

/// The lower-case name of a type.
inline std::string_view name(TensorType type) noexcept {
  return info(type).name;
}

/// Bytes that the first `elements` weights take of rows of `row_elements` each: a multiple of a
/// block's, of types that are not all blocks usually of a row's (group's). The scale of a row that is
/// begun counts.
inline std::uint64_t byte_size(TensorType type, std::uint64_t elements,
                               std::uint64_t row_elements) noexcept {
  const TensorTypeInfo& t = info(type);
  const std::uint64_t blocks = elements / t.block_elements * t.block_bytes;
  if (t.row_bytes == 0 || elements == 0) return blocks;
  return blocks + ((elements - 1) / row_elements + 1) * t.row_bytes;
}

/// Bytes of one row of a type that has a layout.
inline std::uint64_t row_size(TensorType type, std::uint64_t row_elements) noexcept {
  return byte_size(type, row_elements, row_elements);
}

/// Bytes of `elements` weights of a type that is all blocks: a multiple of a block's.
inline std::uint64_t byte_size(TensorType type, std::uint64_t elements) noexcept {
  return byte_size(type, elements, elements);
}

/// Bits a weight, block scales included; scales of rows, a hundredth of a bit and less, are not.
inline double bits_per_weight(TensorType type) noexcept {
  const TensorTypeInfo& t = info(type);
  return 8.0 * t.block_bytes / t.block_elements;
}

}  // namespace sluice

#pragma GCC visibility pop
