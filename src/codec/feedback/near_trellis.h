#pragma once

// Feedback for trellis types whose sub-blocks have evenly spaced scales, and whose codebooks are searched
// as k-d trees (codec/trellis/near_tree.h): groups of magnitudes and signs, or of either of two codebooks.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "codec/feedback/kernel.h"
#include "codec/feedback/trellis_row.h"
#include "codec/trellis/near_tree.h"
#include "codec/trellis/search.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// What a sub-block's groups are searched at: of lanes.
struct NearScale {
  Floats value;
  Ints part;  ///< codebook
};

/// A code of a scale is the multiple of the row's; of a type with two codebooks, which may be negative, it
/// is 64 more, and the codebook in bit 0 below. A code of a group is an index, and signs from bit 16 on.
/// Format has
///   Block, kType, kBook, Scales  the plain block; its number and codebook; a ScaleMultiples
///   kMargins                     of searches
///   kBest, kFast                 how many multiples are tried for each codebook and sign
template <typename Format>
struct FeedbackNearTrellis {
  using Plain = typename Format::Block;
  using Block = TrellisBlock<Plain, typename Format::Scales>;
  static constexpr TrellisCodebook kBook = Format::kBook;
  static constexpr TensorType kType = Format::kType;
  static constexpr std::size_t kSubBlock = Block::kWeights / Block::kSubBlocks;
  static constexpr std::size_t kGroup = kBook.group;
  static constexpr std::size_t kTogether = 2;
  static constexpr std::size_t kAlternatives = 1;
  static constexpr std::size_t kFactors = 1;
  static constexpr bool kTwo = Plain::kParts == 2;
  static constexpr int kZero = 64;

  static float factor(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_factor(Block& block, std::size_t, float d) noexcept { block.d = d; }
  static unsigned scale(const Block& block, std::size_t b) noexcept {
    const auto sub_block = static_cast<unsigned>(b);
    if constexpr (kTwo) {
      return static_cast<unsigned>(block.scale(sub_block) + kZero) << 1;
    } else {
      return block.scale(sub_block);
    }
  }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    const auto multiple = static_cast<int>(code);
    block.set_scale(b, kTwo ? (multiple >> 1) - kZero : multiple);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    block.set_index(g, code & 0xffffu);
    if constexpr (kBook.magnitudes) {
      constexpr std::size_t kGroups = kSubBlock / kGroup;
      for (std::size_t j = 0; j < kGroup; ++j) {
        block.set_negative(g / kGroups, g % kGroups * kGroup + j, (code >> (16 + j) & 1) != 0);
      }
    }
  }

  static constexpr std::size_t kVariants = kTwo ? 4 : 1;  ///< codebooks and signs
  static constexpr std::size_t multiples(Effort effort) noexcept {
    return effort == Effort::fast ? Format::kFast : Format::kBest;
  }
  static constexpr std::size_t candidates(Effort effort) noexcept {
    return kVariants * multiples(effort);
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    const Floats near = to_floats(kTwo ? abs_of(simd::shift_right<1>(plain) - kZero) : plain);
    const Floats step = max(round(near * kStep), 1);
    const auto others = static_cast<float>(multiples(effort) - 1);
    const Floats highest = min(near + step * round_up_half(others), kMost);
    const Floats lowest = max(highest - step * others, 0);
    const std::size_t number = n / kVariants;
    const Floats multiple = min(lowest + step * static_cast<float>(number), kMost);
    if constexpr (kTwo) {
      const Ints code = simd::shift_left<1>(to_ints(n / 2 % 2 == 0 ? multiple : -multiple) + kZero);
      return code | static_cast<std::int32_t>(n % 2);
    } else {
      return to_ints(multiple);
    }
  }

  using Scale = NearScale;
  static Scale scale_of(const Floats* factors, const Ints& code) noexcept {
    if constexpr (kTwo) {
      return {factors[0] * to_floats(simd::shift_right<1>(code) - kZero), code & 1};
    } else {
      return {factors[0] * to_floats(code), 0};
    }
  }

  class Group {
   public:
    explicit Group(const float (&metric)[kGroup]) noexcept { targets_.set_weights(metric); }

    void nearest(const Scale (&scale)[kTogether], const Floats (&target)[kTogether][kGroup],
                 Option<kGroup> (&options)[kAlternatives][kTogether]) const noexcept {
      for (std::size_t k = 0; k < kTogether; ++k) search(scale[k], target[k], options[0][k]);
    }

   private:
    using Tree = NearTree<kBook, Plain::kParts>;

    void search(const Scale& scale, const Floats (&target)[kGroup],
                Option<kGroup>& option) const noexcept {
      NearTargets<kGroup> targets = targets_;
      Floats wanted[kGroup];
      for (std::size_t j = 0; j < kGroup; ++j) {
        wanted[j] = kBook.magnitudes ? abs(target[j]) : target[j];
      }
      constexpr float kLeast = 0x1p-100f;
      const Floats magnitude = max(abs(scale.value), kLeast);
      targets.set_targets(wanted, select(scale.value < 0, -magnitude, magnitude));
      std::size_t parts[kRows];
      for (std::size_t row = 0; row < kRows; ++row) {
        parts[row] = static_cast<std::size_t>(scale.part[row]);
      }
      const Tree& tree = Tree::get();
      typename Tree::Shortlist shortlist;
      tree.list(targets, parts, Format::kMargins.branches, shortlist);
      typename Tree::Finds finds;
      tree.find(targets, shortlist, Format::kMargins.cells, finds);
      option.code = simd::bits_of<Ints>(tree.indices(finds.places()));
      finds.for_each_integer([&](std::size_t j, const Floats& c) noexcept {
        option.decoded[j] = scale.value * c;
        if constexpr (kBook.magnitudes) {
          const simd::FloatMask negative = target[j] < 0;
          option.decoded[j] = select(negative, -option.decoded[j], option.decoded[j]);
          option.code = select(negative, option.code | (1 << (16 + j)), option.code);
        }
      });
    }

    NearTargets<kGroup> targets_;  ///< weights; targets are set for each search
  };

 private:
  static constexpr float kStep = 0.1f;  ///< between multiples, as a share
  static constexpr auto kMost = static_cast<float>(Plain::kMostMultiple);

  static Ints abs_of(const Ints& x) noexcept { return max(x, 0 - x); }
  static constexpr float round_up_half(float count) noexcept {
    const int half = (static_cast<int>(count) + 1) / 2;
    return static_cast<float>(half);
  }
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
