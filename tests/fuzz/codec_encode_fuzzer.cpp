// Every encoder against any finite rows and importances: the decoded blocks are finite and no worse
// than zeros, and the kernels of every instruction set give the same bytes.
//
// Input: bytes for the type, the effort, the number of rows and of a row's blocks, how numbers are
// spelled in the values and in the importances; then the importances, then the values.

#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <vector>

#include "codec/preparation.h"
#include "codec/zeros.h"
#include "fuzz/expect.h"
#include "fuzz/input.h"
#include "sluice/codec.h"

namespace sluice::fuzzing {
namespace {

/// Takes `count` finite floats. Spelled with few bytes where many are wanted, so that a change of
/// one byte is a change of one weight or of the scale of all.
class Numbers {
 public:
  explicit Numbers(Input& input)
      : input_(input), spelling_(input.below(4)), exponent_(input.number<std::int8_t>()) {}

  float next() {
    switch (spelling_) {
      case 0:
        return finite(input_.number<float>());
      case 1:
        return finite(std::ldexp(static_cast<float>(input_.number<std::int8_t>()), exponent_));
      case 2:
        return finite(std::ldexp(static_cast<float>(input_.number<std::int16_t>()), exponent_));
      default:
        return kExtremes[input_.below(std::size(kExtremes))];
    }
  }

  std::vector<float> take(std::size_t count) {
    std::vector<float> numbers(count);
    for (float& x : numbers) x = next();
    return numbers;
  }

 private:
  static constexpr float kExtremes[] = {
      0.0f,     1.0f,      -1.0f,    -0.0f,    FLT_MAX,       -FLT_MAX,
      FLT_MIN,  -FLT_MIN,  1e30f,    0.5f,     FLT_TRUE_MIN,  -FLT_TRUE_MIN,
      65504.0f, -65504.0f, 65520.0f, 6.1e-05f, 5.9604645e-8f, 2.9802322e-8f,
      0.7f,     -0.3f,     1e-20f,   -1e20f,   1e-38f,        448.0f,
  };

  static float finite(float x) { return std::isfinite(x) ? x : 0.0f; }

  Input& input_;
  std::size_t spelling_;
  int exponent_;
};

/// Encodes into just as many bytes as there must be; ASan sees one too many.
std::vector<std::byte> encode(const Codec& codec, const EncodeRows& rows, std::byte background) {
  std::vector<std::byte> blocks(
      byte_size(codec.type, rows.rows * rows.row_elements, rows.row_elements), background);
  codec.encode(rows, blocks.data());
  return blocks;
}

void expect_no_worse_than_zeros(TensorType type, const EncodeRows& rows,
                                const std::vector<float>& decoded) {
  const std::size_t together = testing_support::bearable_together(type, rows.row_elements);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    double own = 0;
    double of_zeros = 0;
    for (std::size_t i = 0; i < rows.row_elements; ++i) {
      const std::size_t at = row * rows.row_elements + i;
      const double q = rows.importance == nullptr ? 1.0 : double{rows.importance[i]};
      own += q * std::pow(double{rows.values[at]} - double{decoded[at]}, 2);
      of_zeros += q * std::pow(double{rows.values[at]}, 2);
      if ((i + 1) % together != 0 && i + 1 < rows.row_elements) continue;
      // Some encoders compare errors in single precision, over up to 256 terms.
      FUZZ_EXPECT(own <= of_zeros * (1 + 1e-5));
      own = of_zeros = 0;
    }
  }
}

std::vector<TensorType> prepared_types() {
  std::vector<TensorType> types;
  for (const Codec& codec : codecs()) {
    if (codec.encode == nullptr) continue;
    types.push_back(codec.type);
    for (const Isa isa : supported_isas()) prepared_codec(codec.type, isa);
  }
  return types;
}

// Before any input is timed: with sanitizers, codebooks take seconds to make.
const std::vector<TensorType> kTypes = prepared_types();

void run(Input input) {
  const TensorType type = input.type(kTypes);
  const Effort effort = input.below(2) == 0 ? Effort::best : Effort::fast;
  const std::size_t row_count = info(type).rows * (1 + input.below(3));
  const std::size_t row_elements = (1 + input.below(3)) * info(type).block_elements;
  const bool known = input.below(4) != 0;
  Numbers importances(input);
  std::vector<float> importance = known ? importances.take(row_elements) : std::vector<float>{};
  for (float& q : importance) q = std::abs(q);
  const std::vector<float> values = Numbers(input).take(row_count * row_elements);

  const EncodeRows rows{.values = values.data(),
                        .rows = row_count,
                        .row_elements = row_elements,
                        .importance = known ? importance.data() : nullptr,
                        .effort = effort};
  const Codec& portable = *find_codec(type, Isa::portable);
  const std::vector<std::byte> blocks = encode(portable, rows, std::byte{0x00});
  std::vector<float> decoded(values.size());
  decode_rows(portable, blocks.data(), decoded.size(), row_elements, decoded.data());
  for (const float x : decoded) FUZZ_EXPECT(std::isfinite(x));
  expect_no_worse_than_zeros(type, rows, decoded);
  for (const Isa isa : supported_isas()) {
    FUZZ_EXPECT(encode(*find_codec(type, isa), rows, std::byte{0xff}) == blocks);
  }
}

}  // namespace
}  // namespace sluice::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzzing::run({data, size});
  return 0;
}
