#include "codec/i_quants/iq4_nl.h"

#include "codec/feedback/levels.h"

namespace sluice::inline SLUICE_ISA {
namespace {

/// A block is its only sub-block, and the code of its scale is the fp16 itself. The scales that are
/// tried lie so many units in its last place beside the plain encoder's, 16 being 1 to 2 %, and
/// beside its opposite.
struct FeedbackIq4Nl : ldlq::LevelGroups<BlockIq4Nl> {
  /// 16 rows' blocks are encoded as those of one row: it takes that many at once.
  struct Block : BlockIq4Nl {
    static void encode(const EncodeRows& rows, std::byte* out) noexcept {
      float importance[kFeedbackRows * kWeights];
      for (std::size_t i = 0; i < kFeedbackRows * kWeights; ++i) {
        importance[i] = rows.importance[i % kWeights];
      }
      EncodeRows one = rows;
      one.rows = 1;
      one.row_elements = kFeedbackRows * kWeights;
      one.importance = importance;
      BlockIq4Nl::encode(one, out);
    }
  };
  static constexpr TensorType kType = TensorType::iq4_nl;
  static constexpr std::size_t kSubBlock = Block::kWeights;

  /// The second is 1: what a row's unit is worth.
  static constexpr std::size_t kFactors = 2;
  static std::uint16_t factor(const Block& block, std::size_t i) noexcept {
    return i == 0 ? block.d : 0x3c00;
  }
  static void set_factor(Block& block, std::size_t i, std::uint16_t half) noexcept {
    if (i == 0) block.d = half;
  }

  static unsigned scale(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_scale(Block& block, std::size_t, unsigned code) noexcept {
    block.d = static_cast<std::uint16_t>(code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_code(g, code);
  }

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? 6 : 16;
  }
  static ldlq::Ints candidate(const ldlq::Ints& plain, std::size_t n, Effort) noexcept {
    constexpr std::int32_t kBeside[] = {0, 24, -24, 48, -48, 72, 96, 120};
    constexpr std::int32_t kLargest = 0x7bff;
    const ldlq::Ints magnitude = plain & 0x7fff;
    const ldlq::Ints other = min(max(magnitude + kBeside[n / 2], 1), kLargest);
    // What is zero stays zero.
    const ldlq::Ints any = min(magnitude, 1);
    const ldlq::Ints sign = (plain & 0x8000) ^ (n % 2 == 0 ? 0 : 0x8000);
    return sign | (other & (ldlq::Ints(0) - any));
  }

  static Scale scale_of(const ldlq::Floats* factors, const ldlq::Ints& code) noexcept {
    // The bits of an fp16 are those of a float that is 2^112 times too small.
    const ldlq::Ints bits =
        simd::shift_left<13>(code & 0x7fff) | simd::shift_left<16>(code & 0x8000);
    const ldlq::Floats half = simd::bits_of<ldlq::Floats>(bits) * 0x1p112f;
    return scale_with(half * factors[1], 0);
  }
};

}  // namespace

FeedbackKernel feedback_iq4_nl() noexcept {
  return ldlq::kernel<FeedbackIq4Nl>();
}

}  // namespace sluice::inline SLUICE_ISA
