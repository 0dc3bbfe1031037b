#include "weights/factors.h"

#include <bit>
#include <cstring>

#include "base/float16.h"
#include "codec/published.h"

namespace sluice::weights {
namespace {

template <class T>
T number_at(std::span<const std::byte> bytes, std::uint64_t index) {
  T number;
  std::memcpy(&number, bytes.data() + index * sizeof number, sizeof number);
  return number;
}

float power_of_two(std::uint8_t exponent) {
  constexpr std::uint32_t kSmallest = 0x00400000;  // 2^-127, which has no exponent of its own
  return std::bit_cast<float>(exponent == 0 ? kSmallest : std::uint32_t{exponent} << 23);
}

}  // namespace

std::uint64_t factor_size(Scales::Type type) {
  switch (type) {
    case Scales::Type::f32:
      return 4;
    case Scales::Type::f16:
    case Scales::Type::bf16:
      return 2;
    case Scales::Type::e8m0:
    case Scales::Type::f8_e4m3:
      return 1;
  }
  return 0;
}

std::uint64_t factor_index(const Stored& stored, std::uint64_t row, std::uint64_t column) {
  const Scales& scales = *stored.scales;
  const std::uint64_t rows = stored.rows();
  return row / rows * scales.matrix + row % rows / scales.block_rows * scales.columns +
         column / scales.block_columns;
}

float Factors::common(std::uint64_t row) const {
  const std::vector<float>& common = stored_.scales->common;
  if (common.empty()) return 1;
  return common[common.size() == 1 ? 0 : row / stored_.rows()];
}

float Factors::at(std::uint64_t index, float common, Isa isa) const {
  float factor = 0;
  copy(index, 1, common, isa, &factor);
  return factor;
}

void Factors::copy(std::uint64_t index, std::uint64_t count, float common, Isa isa,
                   float* out) const {
  const Scales& scales = *stored_.scales;
  const float times = scales.divided ? 1 : common;
  if (scales.type == Scales::Type::f8_e4m3) {
    code_decoders(isa).f8_e4m3(bytes_.scales.data(), index, count, times, out);
  } else {
    for (std::uint64_t i = 0; i < count; ++i) out[i] = stored_at(index + i) * times;
  }
  if (!scales.divided) return;
  for (std::uint64_t i = 0; i < count; ++i) out[i] /= common;
}

float Factors::stored_at(std::uint64_t index) const {
  switch (stored_.scales->type) {
    case Scales::Type::f32:
      return number_at<float>(bytes_.scales, index);
    case Scales::Type::f16:
      return f16_to_f32(number_at<std::uint16_t>(bytes_.scales, index));
    case Scales::Type::bf16:
      return bf16_to_f32(number_at<std::uint16_t>(bytes_.scales, index));
    case Scales::Type::e8m0:
      return power_of_two(number_at<std::uint8_t>(bytes_.scales, index));
    case Scales::Type::f8_e4m3:  // several of which are decoded at once
      break;
  }
  return 0;
}

}  // namespace sluice::weights
