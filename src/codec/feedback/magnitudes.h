#pragma once

// How the octets of IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS and IQ3_S are searched: two candidates of 16 rows
// are the 32 lanes of a search.

#include <algorithm>
#include <array>

#include "codec/feedback/frame.h"
#include "codec/i_quants/magnitude_search.h"

namespace sluice::inline SLUICE_ISA::ldlq {

/// A type whose block is `BlockType`. `kBest` and `kFast` scales are tried.
template <typename BlockType, TensorType kTypeOf, int kBest, int kFast>
struct FeedbackMagnitudes {
  using Block = BlockType;
  static constexpr TensorType kType = kTypeOf;
  static constexpr std::size_t kSubBlock = Block::kSubBlock;
  static constexpr std::size_t kGroup = magnitudes::kOctet;
  static constexpr std::size_t kTogether = magnitudes::kHalves;
  static constexpr std::size_t kAlternatives = 1;
  static constexpr std::size_t kFactors = 1;
  static constexpr int kScales = 16;

  // A code has the octet's entries, and its signs above them.
  static constexpr std::size_t kEntries = magnitudes::Format<Block>::kEntries;
  static constexpr int kEntryBits = 10;
  static constexpr int kSignBit = kEntryBits * static_cast<int>(kEntries);

  static std::uint16_t factor(const Block& block, std::size_t) noexcept { return block.d; }
  static void set_factor(Block& block, std::size_t, std::uint16_t half) noexcept { block.d = half; }
  static unsigned scale(const Block& block, std::size_t b) noexcept { return block.scale(b); }
  static void set_scale(Block& block, std::size_t b, unsigned code) noexcept {
    block.set_scale(b, code);
  }
  static void set_code(Block& block, std::size_t g, unsigned code) noexcept {
    std::array<unsigned, kEntries> entry;
    for (std::size_t n = 0; n < kEntries; ++n) {
      entry[n] = code >> (kEntryBits * n) & ((1u << kEntryBits) - 1);
    }
    block.set_octet(g, entry, code >> kSignBit);
  }

  static constexpr std::size_t candidates(Effort effort) noexcept {
    return effort == Effort::fast ? kFast : kBest;
  }
  static Ints candidate(const Ints& plain, std::size_t n, Effort effort) noexcept {
    const int count = static_cast<int>(candidates(effort));
    return window(plain, n, count, (count - 1) / 2, kScales);
  }

  using Scale = Floats;
  static Scale scale_of(const Floats* factors, const Ints& code) noexcept {
    return factors[0] * Block::kUnit * to_floats(code + code + 1);
  }

  class Group {
   public:
    explicit Group(const float (&metric)[kGroup]) noexcept { std::copy_n(metric, kGroup, metric_); }

    void nearest(const Scale (&scale)[kTogether], const Floats (&target)[kTogether][kGroup],
                 Option<kGroup> (&options)[kAlternatives][kTogether]) const noexcept {
      magnitudes::Octets octets;
      for (std::size_t j = 0; j < kGroup; ++j) {
        for (std::size_t k = 0; k < kTogether; ++k) {
          octets.x[kTogether * j + k] = target[k][j];
          octets.w[kTogether * j + k] = metric_[j];
        }
      }
      const magnitudes::MagnitudeSearch<Block> search(octets);
      magnitudes::OctetCodes<Block> codes;
      search.nearest(magnitudes::OctetFloats{scale[0], scale[1]}, codes);
      const magnitudes::OctetValues values = search.with_signs(codes);
      const auto number = [](const Ints& words) noexcept {
        return magnitudes::Format<Block>::number(words);
      };
      for (std::size_t k = 0; k < kTogether; ++k) {
        Option<kGroup>& option = options[0][k];
        option.code = simd::shift_left<kSignBit>(values.signs[k]) | number(codes.entry[0][k]);
        if constexpr (kEntries == 2) {
          option.code = option.code | simd::shift_left<kEntryBits>(number(codes.entry[1][k]));
        }
        for (std::size_t j = 0; j < kGroup; ++j) {
          option.decoded[j] = scale[k] * values.y[kTogether * j + k];
        }
      }
    }

   private:
    float metric_[kGroup];
  };
};

}  // namespace sluice::inline SLUICE_ISA::ldlq
