#pragma once

// Types whose sub-blocks choose between a few levels and the same levels moved up (codec/i_quants/
// levels.h). A group is one column: its code is the level nearest to what is asked for.

#include "codec/feedback/kernel.h"
#include "codec/i_quants/levels.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// Levels of a scale, the codes of which are NearestLevel's.
template <typename Block>
struct LevelGroups {
  static constexpr std::size_t kGroup = 1;
  static constexpr std::size_t kTogether = 4;
  static constexpr std::size_t kAlternatives = 1;

  struct Scale {
    Floats scale;
    Floats inverse;  ///< 0 where the scale is
    Floats shift;    ///< of the levels
  };
  static Scale scale_with(const Floats& scale, const Floats& shift) noexcept {
    return {scale, select(abs(scale) > 0x1p-100f, Floats(1) / scale, 0), shift};
  }

  struct Group {
    explicit Group(const float (&)[kGroup]) noexcept {}

    void nearest(const Scale (&scale)[kTogether], const Floats (&target)[kTogether][kGroup],
                 Option<kGroup> (&options)[kAlternatives][kTogether]) const noexcept {
      using Nearest = NearestLevel<Block>;
      for (std::size_t k = 0; k < kTogether; ++k) {
        for (std::size_t p = 0; p < Floats::kParts; ++p) {
          const FloatPart shift = part_of(scale[k].shift, p);
          const auto code =
              Nearest::codes(part_of(target[k][0], p) * part_of(scale[k].inverse, p) - shift);
          set_part(options[0][k].code, p, code);
          set_part(options[0][k].decoded[0], p,
                   part_of(scale[k].scale, p) * (Nearest::levels(code) + shift));
        }
      }
    }
  };
};

/// Of a super-block that has d, kScales, kShift and, where that is not 0, shifted(). A code of a scale
/// is its place among kScales, and above 8 bits whether the levels are moved up. Levels being other
/// ones on either side of zero, kFew or kMany scales, so many places apart, are tried about the plain
/// encoder's and as many about its opposite, each with the levels moved up and not.
template <typename BlockType, TensorType kNumber, std::size_t kFew, std::size_t kMany,
          int kApart = 1>
struct LevelBlocks : LevelGroups<BlockType> {
  using Block = BlockType;
  using Groups = LevelGroups<BlockType>;
  static constexpr TensorType kType = kNumber;
  static constexpr std::size_t kSubBlock = Block::kWeights / Block::kSubBlocks;
  static constexpr std::size_t kFactors = 1;
  static constexpr int kMoved = 256;

  using Stored = decltype(Block::d);
  static Stored factor(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_factor(Block& block, std::size_t, Stored d) noexcept { block.d = d; }
  static unsigned scale(const Block& block, std::size_t b) noexcept {
    int code = (block.scale(static_cast<unsigned>(b)) - kFirst) / kStep;
    if constexpr (kTables == 2) code += block.shifted(static_cast<unsigned>(b)) ? kMoved : 0;
    return static_cast<unsigned>(code);
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    const int place = static_cast<int>(code % kMoved);
    block.set_scale(static_cast<unsigned>(b), place * kStep + kFirst);
    if constexpr (kTables == 2) block.set_shifted(static_cast<unsigned>(b), (code & kMoved) != 0);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_code(g, code);
  }

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return 2 * kTables * scales(effort);
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    const Ints same = plain & (kMoved - 1);
    const Ints opposite = min(Ints(-2 * kFirst / kStep) - same, kPlaces - 1);
    const auto count = static_cast<int>(scales(effort));
    const Ints middle = n / kTables % 2 == 0 ? same : opposite;
    const auto step = static_cast<int>(n / kTables / 2);
    const Ints place = kApart == 1 ? window(middle, n / kTables / 2, count, count / 2, kPlaces)
                                   : min(max(middle + (step - count / 2) * kApart, 0), kPlaces - 1);
    const Ints table = (plain & kMoved) ^ static_cast<int>(n % kTables * kMoved);
    return place | table;
  }

  static typename Groups::Scale scale_of(const Floats* factors, const Ints& code) noexcept {
    const Floats place = to_floats(code & (kMoved - 1));
    const Floats moved = to_floats(simd::shift_right<8>(code));
    return Groups::scale_with(factors[0] * (place * kStep + kFirst), moved * Block::kShift);
  }

 private:
  static constexpr int kFirst = static_cast<int>(Block::kScales.first);
  static constexpr int kStep = static_cast<int>(Block::kScales.step);
  static constexpr int kPlaces = (static_cast<int>(Block::kScales.last) - kFirst) / kStep + 1;
  static constexpr std::size_t kTables = Block::kShift == 0 ? 1 : 2;

  static constexpr std::size_t scales(Effort effort) noexcept {
    return effort == Effort::fast ? kFew : kMany;
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
