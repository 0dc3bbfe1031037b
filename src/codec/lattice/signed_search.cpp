#include "codec/lattice/signed_search.h"

#include "codec/i_quants/codebooks.h"
#include "codec/lattice/shorts.h"

namespace sluice::inline SLUICE_ISA {
namespace {

// The price of an entry, in units of its lane, is scale / 2 * norm - dot. A scale is a number of
// 16 bits, kOne for the largest; norm has one bit more than the price, so that the high half of
// their product is the price.
constexpr int kOne = 32768;
constexpr float kLargestPrice = 32000;  // what rounding may add stays below 32768

constexpr std::size_t kWidth = kGroupSize / 2;  // of half an entry
constexpr std::size_t kHalves = 81;             // 3 levels to the power of 4
constexpr std::size_t kShortRegisters = kLaneHalves * kLanes / kRegisterShorts;

/// The number in base 3 that half an entry is, first magnitude highest.
constexpr std::size_t half_number(std::size_t entry, std::size_t half) noexcept {
  const unsigned packed = packed_grids::kIq2xxsGrid[entry] >> 8 * half;
  std::size_t number = 0;
  for (std::size_t j = 0; j < kWidth; ++j) number = 3 * number + (packed >> 2 * j & 3);
  return number;
}

constexpr auto kHalfNumbers = [] {
  std::array<std::array<std::uint8_t, 2>, 256> numbers{};
  for (std::size_t entry = 0; entry < numbers.size(); ++entry) {
    for (std::size_t half = 0; half < 2; ++half) {
      numbers[entry][half] = static_cast<std::uint8_t>(half_number(entry, half));
    }
  }
  return numbers;
}();

/// What three levels of one position, and then more positions together, add to an entry.
struct Part {
  ShortRegister dot;
  ShortRegister norm;
  ShortRegister flip;  ///< what the cheapest wrong sign takes off dot
};

inline Part join(const Part& a, const Part& b) noexcept {
  return {a.dot + b.dot, a.norm + b.norm, lesser(a.flip, b.flip)};
}

/// All 81 halves of four positions.
void join_positions(const std::array<std::array<Part, 3>, kGroupSize>& part, std::size_t first,
                    std::array<Part, kHalves>& halves) noexcept {
  std::array<Part, 9> low;
  for (std::size_t i = 0; i < 9; ++i) low[i] = join(part[first + 2][i / 3], part[first + 3][i % 3]);
  for (std::size_t i = 0; i < 9; ++i) {
    const Part high = join(part[first][i / 3], part[first + 1][i % 3]);
    for (std::size_t k = 0; k < 9; ++k) halves[9 * i + k] = join(high, low[k]);
  }
}

/// The magnitudes of level numbers: 8, 25, 43.
inline FloatRegister magnitudes(IntRegister level) noexcept {
  static_assert(kIq2Magnitudes == std::array<std::int8_t, 3>{8, 25, 43});
  return __builtin_convertvector(level * 17 + (level >> 1) + 8, FloatRegister);
}

/// The sum over a sub-block's lanes, in each of them.
Lanes sum_of_sub_blocks(const Lanes& low, const Lanes& high) noexcept {
  const Lanes sum = low + high;
  return sum + swap_halves(sum);
}

}  // namespace

void to_group_rows(const float* values, GroupRows& rows) noexcept {
  float* const columns = reinterpret_cast<float*>(rows.data());
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::size_t b = 0; b < 8; b += 4) {
      for (std::size_t j = 0; j < kGroupSize; j += 4) {
        transpose_4x4(values + 32 * b + 8 * k + j, 32,
                      columns + (2 * j + k / 2) * kLanes + 8 * (k % 2) + b, 2 * kLanes);
      }
    }
  }
}

SignedSearch::SignedSearch(const Groups& groups, const Lanes& largest_scale) noexcept
    : groups_(groups), largest_scale_(largest_scale) {
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    Lanes signs = 1;
    for (std::size_t j = 0; j < kGroupSize; ++j) {
      const Lanes& x = groups_.x[2 * j + h];
      wx_[2 * j + h] = groups_.w[2 * j + h] * magnitude(x);
      signs = select(x < 0, Lanes(0) - signs, signs);
    }
    odd_[h] = select(signs < 0, 1, 0);
  }
  sum_entries();
}

void SignedSearch::sum_entries() noexcept {
  constexpr float kLargest = kIq2Magnitudes[2];
  std::array<std::array<Shorts, 3>, kGroupSize> dot;
  std::array<std::array<Shorts, 3>, kGroupSize> norm;
  std::array<std::array<Shorts, 3>, kGroupSize> flip;
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    Lanes sum_wx = 0;
    Lanes sum_w = 0;
    for (std::size_t j = 0; j < kGroupSize; ++j) {
      sum_wx = sum_wx + wx_[2 * j + h];
      sum_w = sum_w + groups_.w[2 * j + h];
    }
    const Lanes half_scale = largest_scale_ * 0.5f;
    const Lanes largest = greater(sum_wx * kLargest, half_scale * sum_w * (kLargest * kLargest));
    unit_[h] = greater(largest * (1 / kLargestPrice), 0x1p-100f);
    const Lanes per_unit = Lanes(1) / unit_[h];
    const auto put = [&](const Lanes& values, Shorts& shorts) noexcept {
      std::array<float, kLanes> rounded;
      (values + 0.5f).store(rounded.data());
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        shorts[h * kLanes + lane] = static_cast<std::int16_t>(static_cast<int>(rounded[lane]));
      }
    };
    for (std::size_t j = 0; j < kGroupSize; ++j) {
      const Lanes wx = wx_[2 * j + h] * per_unit;
      const Lanes w = groups_.w[2 * j + h] * half_scale * per_unit;
      for (std::size_t level = 0; level < 3; ++level) {
        const float g = kIq2Magnitudes[level];
        put(wx * g, dot[j][level]);
        put(w * (2 * g * g), norm[j][level]);
        put(lesser(wx * odd_[h] * (2 * g), kLargestPrice), flip[j][level]);
      }
    }
  }

  for (std::size_t r = 0; r < kShortRegisters; ++r) {
    const auto load = [r](const Shorts& shorts) noexcept {
      ShortRegister value;
      std::memcpy(&value, &shorts[r * kRegisterShorts], sizeof(value));
      return value;
    };
    const auto store = [r](const ShortRegister& value, Shorts& shorts) noexcept {
      std::memcpy(&shorts[r * kRegisterShorts], &value, sizeof(value));
    };
    std::array<std::array<Part, 3>, kGroupSize> part;
    for (std::size_t j = 0; j < kGroupSize; ++j) {
      for (std::size_t level = 0; level < 3; ++level) {
        part[j][level] = {load(dot[j][level]), load(norm[j][level]), load(flip[j][level])};
      }
    }
    std::array<Part, kHalves> first;
    std::array<Part, kHalves> second;
    join_positions(part, 0, first);
    join_positions(part, kWidth, second);
    for (std::size_t entry = 0; entry < kHalfNumbers.size(); ++entry) {
      const Part sum = join(first[kHalfNumbers[entry][0]], second[kHalfNumbers[entry][1]]);
      store(sum.dot - sum.flip, dot_[entry]);
      store(sum.norm, norm_[entry]);
    }
  }
}

void SignedSearch::try_scales(std::size_t trials, float lowest,
                              std::array<Lanes, kMaxTrials>& errors) const noexcept {
  constexpr std::size_t kTogether = 4;  // trials to one walk over the entries
  const float step = (1 - lowest) / static_cast<float>(trials - 1);
  for (std::size_t start = 0; start < trials; start += kTogether) {
    std::array<std::int16_t, kTogether> scale;
    for (std::size_t t = 0; t < kTogether; ++t) {
      const float factor = lowest + step * static_cast<float>(start + t);
      scale[t] = static_cast<std::int16_t>(static_cast<int>(factor * kOne + 0.5f));
    }
    std::array<Shorts, kTogether> least;
    for (std::size_t r = 0; r < kShortRegisters; ++r) {
      const auto load = [r](const Shorts& shorts) noexcept {
        ShortRegister value;
        std::memcpy(&value, &shorts[r * kRegisterShorts], sizeof(value));
        return value;
      };
      std::array<ShortRegister, kTogether> best;
      best.fill(ShortRegister{} + std::int16_t{32767});
      for (std::size_t entry = 0; entry < dot_.size(); ++entry) {
        const ShortRegister dot = load(dot_[entry]);
        const ShortRegister norm = load(norm_[entry]);
#pragma GCC unroll 8
        for (std::size_t t = 0; t < kTogether; ++t) {
          best[t] = lesser(best[t], multiply_high(norm, ShortRegister{} + scale[t]) - dot);
        }
      }
      for (std::size_t t = 0; t < kTogether; ++t) {
        std::memcpy(&least[t][r * kRegisterShorts], &best[t], sizeof(best[t]));
      }
    }
    for (std::size_t t = 0; t < kTogether && start + t < trials; ++t) {
      std::array<std::array<float, kLanes>, kLaneHalves> price;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        price[0][lane] = static_cast<float>(least[t][lane]);
        price[1][lane] = static_cast<float>(least[t][kLanes + lane]);
      }
      const Lanes sum = sum_of_sub_blocks(Lanes::load(price[0].data()) * unit_[0],
                                          Lanes::load(price[1].data()) * unit_[1]);
      errors[start + t] = sum * (lowest + step * static_cast<float>(start + t));
    }
  }
}

NearestEntries SignedSearch::nearest(const Lanes& scale) const noexcept {
  const Lanes ratio = lesser(scale / greater(largest_scale_, 0x1p-100f), 1.02f) * kOne + 0.5f;
  std::array<float, kLanes> numbers;
  ratio.store(numbers.data());
  Shorts scales;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    scales[lane] = static_cast<std::int16_t>(static_cast<int>(numbers[lane]));
    scales[kLanes + lane] = scales[lane];
  }

  Shorts found;
  for (std::size_t r = 0; r < kShortRegisters; ++r) {
    const auto load = [r](const Shorts& shorts) noexcept {
      ShortRegister value;
      std::memcpy(&value, &shorts[r * kRegisterShorts], sizeof(value));
      return value;
    };
    const ShortRegister s = load(scales);
    ShortRegister least = ShortRegister{} + std::int16_t{32767};
    ShortRegister index{};
    ShortRegister entry{};
    for (std::size_t i = 0; i < dot_.size(); ++i) {
      const ShortRegister price = multiply_high(load(norm_[i]), s) - load(dot_[i]);
      index = price < least ? entry : index;
      least = lesser(least, price);
      entry += std::int16_t{1};
    }
    std::memcpy(&found[r * kRegisterShorts], &index, sizeof(index));
  }

  NearestEntries entries;
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      entries.index[h][lane] = found[h * kLanes + lane];
    }
  }
  measure(entries);
  return entries;
}

/// The packed level numbers of 16 entries.
static std::array<std::int32_t, kLanes> packed_levels(
    const std::array<std::int32_t, kLanes>& index) noexcept {
  std::array<std::int32_t, kLanes> packed;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    packed[lane] = packed_grids::kIq2xxsGrid[static_cast<std::size_t>(index[lane])];
  }
  return packed;
}

void SignedSearch::measure(NearestEntries& entries) const noexcept {
  std::array<Lanes, kLaneHalves> dot;
  std::array<Lanes, kLaneHalves> norm;
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    const std::array<std::int32_t, kLanes> packed = packed_levels(entries.index[h]);
    for (std::size_t r = 0; r < kRegisters; ++r) {
      IntRegister levels;
      std::memcpy(&levels, &packed[r * kRegisterLanes], sizeof(levels));
      FloatRegister sum_dot{};
      FloatRegister sum_norm{};
      FloatRegister smallest = FloatRegister{} + 0x1p100f;
      for (std::size_t j = 0; j < kGroupSize; ++j) {
        const FloatRegister g = magnitudes(levels >> static_cast<int>(2 * j) & 3);
        const FloatRegister term = wx_[2 * j + h].part[r] * g;
        sum_dot += term;
        sum_norm += groups_.w[2 * j + h].part[r] * (g * g);
        smallest = term < smallest ? term : smallest;
      }
      dot[h].part[r] = sum_dot - odd_[h].part[r] * 2.0f * smallest;
      norm[h].part[r] = sum_norm;
    }
  }
  entries.dot = sum_of_sub_blocks(dot[0], dot[1]);
  entries.norm = sum_of_sub_blocks(norm[0], norm[1]);
}

SignedEntries SignedSearch::with_signs(const NearestEntries& entries) const noexcept {
  SignedEntries out;
  for (std::size_t h = 0; h < kLaneHalves; ++h) {
    const std::array<std::int32_t, kLanes> packed = packed_levels(entries.index[h]);
    for (std::size_t r = 0; r < kRegisters; ++r) {
      IntRegister levels;
      std::memcpy(&levels, &packed[r * kRegisterLanes], sizeof(levels));
      std::array<FloatRegister, kGroupSize> g;
      FloatRegister smallest = FloatRegister{} + 0x1p100f;
      IntRegister cheapest{};
      IntRegister signs{};
      for (std::size_t j = 0; j < kGroupSize; ++j) {
        const std::int32_t bit = 1 << j;
        g[j] = magnitudes(levels >> static_cast<int>(2 * j) & 3);
        const FloatRegister term = wx_[2 * j + h].part[r] * g[j];
        cheapest = term < smallest ? IntRegister{} + bit : cheapest;
        smallest = term < smallest ? term : smallest;
        signs |= (groups_.x[2 * j + h].part[r] < 0.0f) & bit;
      }
      signs ^= cheapest & (odd_[h].part[r] > 0.0f);
      for (std::size_t j = 0; j < kGroupSize; ++j) {
        const IntRegister minus = (signs & (1 << j)) != 0;
        out.y[2 * j + h].part[r] = minus ? -g[j] : g[j];
      }
      signs &= 127;
      std::memcpy(&out.sign_index[h][r * kRegisterLanes], &signs, sizeof(signs));
    }
  }
  return out;
}

}  // namespace sluice::inline SLUICE_ISA
