#pragma once

// The integer scales of sub-blocks.

#include <cstddef>
#include <cstdint>

#include "simd/lanes.h"

namespace sluice::inline SLUICE_ISA {

/// The scales of one sign that a type has, from the least magnitude to the largest.
struct TrellisScales {
  std::size_t count = 0;
  float magnitude[128] = {};
  std::uint8_t code[128] = {};

  constexpr void insert(float value, std::uint8_t its_code) noexcept {
    std::size_t i = count++;
    for (; i > 0 && magnitude[i - 1] > value; --i) {
      magnitude[i] = magnitude[i - 1];
      code[i] = code[i - 1];
    }
    magnitude[i] = value;
    code[i] = its_code;
  }

  /// The first of `wanted` neighbours among which a magnitude is nearest to the middle.
  std::size_t first_of_nearest(float wanted_magnitude, std::size_t wanted) const noexcept {
    std::size_t low = 0;
    std::size_t high = count - wanted;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (wanted_magnitude * wanted_magnitude > magnitude[middle] * magnitude[middle + wanted]) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
};

/// \param value  value(code) of the scales, some of which are negative
template <typename Value>
constexpr TrellisScales scales_of_sign(std::size_t codes, bool negative,
                                       const Value& value) noexcept {
  TrellisScales scales;
  for (std::size_t code = 0; code < codes; ++code) {
    const float scale = value(code);
    if (scale != 0 && (scale < 0) == negative) {
      scales.insert(negative ? -scale : scale, static_cast<std::uint8_t>(code));
    }
  }
  return scales;
}

/// The row's scale, from the scales that its sub-blocks would like to have: of some, evenly spaced on a
/// logarithmic scale, the one for which there are multiples near to these.
template <const TrellisScales& kScales>
class RowScaleTrials {
 public:
  /// \param wish    of a sub-block, at most `most`
  /// \param weight  of its error
  void add(float wish, float weight) noexcept {
    constexpr float kStrongest = kScales.magnitude[kScales.count - 1];
    for (std::size_t i = 0; i < kLanes; ++i) {
      const simd::Floats ratio = simd::Floats(wish) * per_scale_[i];
      const simd::Ints cell = to_ints(min(ratio * (kCells / kStrongest), kCells - 1));
      const simd::Floats beyond = max(simd::Floats(1) - kStrongest / max(ratio, 1e-6f), 0);
      cost_[i] += (look_up(kMisses.of, cell) + beyond * beyond) * weight;
    }
  }
  float best() const noexcept {
    float least = 0;
    float scale = 0;
    for (std::size_t i = 0; i < kLanes; ++i) {
      const std::size_t lane = place_of_min(cost_[i]);
      if (i > 0 && cost_[i][lane] >= least) continue;
      least = cost_[i][lane];
      scale = 1 / per_scale_[i][lane];
    }
    return scale;
  }
  explicit RowScaleTrials(float most) noexcept {
    for (std::size_t i = 0; i < kLanes; ++i) {
      cost_[i] = 0;
      float factors[16];
      for (std::size_t lane = 0; lane < 16; ++lane) {
        factors[lane] = kSteps.factor[16 * i + lane] * kScales.magnitude[kScales.count - 1] / most;
      }
      per_scale_[i] = simd::Floats::load(factors);
    }
  }

 private:
  static constexpr std::size_t kLanes = 2;
  static constexpr int kCells = 64;

  /// How much the nearest multiple misses, squared, as a share.
  struct Misses {
    float of[kCells];
    constexpr Misses() noexcept : of() {
      for (int i = 0; i < kCells; ++i) {
        const float wish =
            (static_cast<float>(i) + 0.5f) * kScales.magnitude[kScales.count - 1] / kCells;
        float least = 1;
        for (std::size_t s = 0; s < kScales.count; ++s) {
          const float miss = kScales.magnitude[s] / wish - 1;
          least = miss * miss < least ? miss * miss : least;
        }
        of[i] = least;
      }
    }
  };
  /// 2^(i / 6)
  struct Steps {
    float factor[16 * kLanes];
    constexpr Steps() noexcept : factor() {
      constexpr float kSixth = 1.122462048f;
      float next = 1;
      for (float& f : factor) {
        f = next;
        next *= kSixth;
      }
    }
  };
  static constexpr Misses kMisses{};
  static constexpr Steps kSteps{};

  simd::Floats per_scale_[kLanes];
  simd::Floats cost_[kLanes];
};

}  // namespace sluice::inline SLUICE_ISA
