#include "forecast/row_sample.h"

#include <algorithm>
#include <numeric>

#include "codec/preparation.h"
#include "sluice/codec.h"

namespace sluice {

// Neighbouring rows: one seek for each conversion, where rows from everywhere would keep a hard disk
// for seconds. Those of a transposed matrix are spread over all of it.
weights::Band sample_of(const Plan& plan, std::uint32_t tensor) {
  constexpr std::uint64_t kBatchElements = 16384;  // a millisecond with the slowest kernels
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20;
  const weights::Weights& weights = *plan.weights;
  const weights::Wanted& wanted = plan.wanted[tensor];
  const std::uint64_t rows = plan.tensors[tensor].elements() / wanted.row_elements;
  const std::uint64_t batch =
      std::clamp<std::uint64_t>(kBatchElements / wanted.row_elements, 1, rows);
  weights::Band band = weights::bands_of_rows(weights, wanted, (rows - batch) / 2, batch).front();
  if (band.range.size > kMostBytes) band = *weights::BandCursor(weights, {&wanted, 1}, 0).next();
  for (weights::Piece& piece : band.pieces) piece.wanted = tensor;
  return band;
}

std::string unfit(const weights::Stored& stored, std::span<const std::byte> codes) {
  if (std::ranges::all_of(codes, [](std::byte b) { return b == std::byte{}; })) {
    return "the rows looked at are zeros";
  }
  if (stored.coding != weights::Coding::typed) return "";
  const Codec* codec = find_codec(stored.type);
  const TensorTypeInfo& type = info(stored.type);
  const std::uint64_t elements = is_all_blocks(stored.type)
                                     ? codes.size() / type.block_bytes * type.block_elements
                                     : codes.size() / stored.row_bytes() * stored.columns();
  return codec == nullptr || rows_finite(*codec, codes.data(), elements, stored.typed_columns())
             ? ""
             : "the rows looked at hold NaN or infinity";
}

void make_up_rows(const weights::Stored& stored, RowSample& sample) {
  std::uint32_t state = 1;
  const auto uniform = [&] {  // -0.5 to 0.5; Numerical Recipes' generator does for this
    state = state * 1664525u + 1013904223u;
    return static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
  };
  // Of every type some small number; as a code, none that is NaN.
  std::ranges::fill(sample.factors, std::byte{0x3c});
  if (stored.coding != weights::Coding::typed) {
    for (std::byte& code : sample.codes) {
      code = static_cast<std::byte>(static_cast<int>(256 * uniform())) & std::byte{0xb7};
    }
    return;
  }
  const Codec* known = find_codec(stored.type);
  if (known == nullptr || known->encode == nullptr) return;
  const Codec& codec = prepared_codec(stored.type);
  std::vector<float> values(sample.band.elements);
  for (float& value : values) value = 0.02f * (uniform() + uniform() + uniform() + uniform());
  const std::uint64_t row = std::gcd(sample.band.elements, stored.typed_columns());
  codec.encode({.values = values.data(),
                .rows = values.size() / row,
                .row_elements = row,
                .importance = nullptr,
                .effort = Effort::fast},
               sample.codes.data());
}

}  // namespace sluice
