#pragma once

// Super-blocks at random: such as models have, and such as try an encoder.

#include <algorithm>
#include <array>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::testing_support {

inline constexpr std::size_t kSuperBlock = 256;

/// SplitMix64 by G. Steele and others: the same numbers with every standard library.
class Random {
 public:
  explicit Random(std::string_view seed) {
    for (const char c : seed) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  std::size_t below(std::size_t n) { return bits() % n; }
  bool chance(double p) { return uniform() < p; }
  /// In [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// In [-1, 1).
  double symmetric() { return 2 * uniform() - 1; }
  /// Bell-shaped, of variance 1.
  double normal() { return symmetric() + symmetric() + symmetric(); }
  /// Student's t with 4 degrees of freedom: heavy tails, as weights have.
  double heavy() {
    double squares = 1e-6;
    for (int i = 0; i < 4; ++i) squares += std::pow(normal(), 2);
    return normal() / std::sqrt(squares / 4);
  }
  /// 10 to a power in [low, high).
  double magnitude(double low, double high) { return std::pow(10, low + (high - low) * uniform()); }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

inline float finite(double value) {
  return static_cast<float>(std::clamp(value, -double{FLT_MAX}, double{FLT_MAX}));
}

inline float any_float(Random& random) {
  const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random.bits()));
  return std::isfinite(value) ? value : 0.0f;
}

using Block = std::array<float, kSuperBlock>;
using Fill = void (*)(Random&, Block&);

struct Kind {
  const char* name;
  Fill fill;
};

template <typename Value>
void each(Block& block, Value value) {
  for (float& x : block) x = finite(value());
}

// Super-blocks as models have them.
inline constexpr Kind kWeights[] = {
    {"heavy tails",
     [](Random& random, Block& x) {
       const double size = random.magnitude(-3, 0);
       each(x, [&] { return size * random.heavy(); });
     }},
    {"a bell",
     [](Random& random, Block& x) {
       const double size = random.magnitude(-3, 0);
       each(x, [&] { return size * random.normal(); });
     }},
    {"off centre",
     [](Random& random, Block& x) {
       const double centre = random.symmetric();
       each(x, [&] { return centre + 0.3 * random.heavy(); });
     }},
    {"columns of all sizes",
     [](Random& random, Block& x) {
       each(x, [&] { return random.magnitude(-2, 0) * random.heavy(); });
     }},
};

// Super-blocks that try an encoder.
inline constexpr Kind kExtremes[] = {
    {"zeros", [](Random& random, Block& x) { x.fill(random.chance(0.5) ? 0.0f : -0.0f); }},
    {"one value in zeros",
     [](Random& random, Block& x) {
       x.fill(0);
       x[random.below(kSuperBlock)] = finite(random.symmetric() * random.magnitude(-45, 39));
     }},
    {"one outlier",
     [](Random& random, Block& x) {
       each(x, [&] { return random.heavy(); });
       x[random.below(kSuperBlock)] = finite(random.symmetric() * random.magnitude(0, 39));
     }},
    {"weights of any size",
     [](Random& random, Block& x) {
       const double size = random.magnitude(-46, 38);
       each(x, [&] { return size * random.heavy(); });
     }},
    {"values of all sizes",
     [](Random& random, Block& x) {
       each(x, [&] { return random.symmetric() * random.magnitude(-46, 39); });
     }},
    {"any bits",
     [](Random& random, Block& x) { each(x, [&] { return double{any_float(random)}; }); }},
    {"denormals",
     [](Random& random, Block& x) {
       each(x, [&] { return double{FLT_MIN} * random.symmetric() * random.magnitude(-7, 0); });
     }},
    {"denormals among weights",
     [](Random& random, Block& x) {
       each(x, [&] { return random.heavy() * (random.chance(0.5) ? 1.0 : 1e-40); });
     }},
    {"sub-blocks of all sizes",
     [](Random& random, Block& x) {
       const std::size_t width = std::size_t{8} << random.below(4);
       double size = 1;
       for (std::size_t i = 0; i < kSuperBlock; ++i) {
         if (i % width == 0) size = random.magnitude(-12, 6);
         x[i] = finite(size * random.heavy());
       }
     }},
    {"zero sub-blocks",
     [](Random& random, Block& x) {
       const std::size_t width = std::size_t{8} << random.below(4);
       const double size = random.magnitude(-10, 6);
       bool zero = false;
       for (std::size_t i = 0; i < kSuperBlock; ++i) {
         if (i % width == 0) zero = random.chance(0.5);
         x[i] = zero ? 0.0f : finite(size * random.heavy());
       }
     }},
    {"mostly zeros",
     [](Random& random, Block& x) {
       const double size = random.magnitude(-10, 6);
       each(x, [&] { return random.chance(0.05) ? size * random.heavy() : 0.0; });
     }},
    {"one value", [](Random& random,
                     Block& x) { x.fill(finite(random.symmetric() * random.magnitude(-45, 39))); }},
    {"one value and its opposite",
     [](Random& random, Block& x) {
       const double size = random.magnitude(-45, 39);
       each(x, [&] { return random.chance(0.5) ? size : -size; });
     }},
    {"on a lattice, or between its points",
     [](Random& random, Block& x) {
       const std::size_t levels = 2 + random.below(40);
       const double step = std::exp2(static_cast<double>(random.below(20)) - 15);
       const double offset = 0.5 * static_cast<double>(random.below(3));
       each(x, [&] {
         return step * (static_cast<double>(random.below(levels)) + offset -
                        static_cast<double>(levels / 2));
       });
     }},
    {"a ramp",
     [](Random& random, Block& x) {
       const double step = random.symmetric() * random.magnitude(-8, 3);
       const double start = random.normal() * 100 * step;
       for (std::size_t i = 0; i < kSuperBlock; ++i) {
         x[i] = finite(start + step * static_cast<double>(i));
       }
     }},
    {"one sign",
     [](Random& random, Block& x) {
       const double sign = random.chance(0.5) ? 1 : -1;
       each(x, [&] { return sign * std::abs(random.heavy()); });
     }},
};

inline constexpr Kind kKnownImportances[] = {
    {"ones", [](Random&, Block& q) { q.fill(1); }},
    {"log-uniform",
     [](Random& random, Block& q) { each(q, [&] { return random.magnitude(-2, 2); }); }},
    {"a few large ones",
     [](Random& random, Block& q) { each(q, [&] { return random.chance(0.02) ? 1e4 : 1.0; }); }},
};

inline constexpr Kind kExtremeImportances[] = {
    {"zeros", [](Random&, Block& q) { q.fill(0); }},
    {"smallest denormals", [](Random&, Block& q) { q.fill(FLT_TRUE_MIN); }},
    {"tiny", [](Random&, Block& q) { q.fill(1e-38f); }},
    {"largest", [](Random&, Block& q) { q.fill(FLT_MAX); }},
    {"one size", [](Random& random, Block& q) { q.fill(finite(random.magnitude(-45, 39))); }},
    {"of all sizes",
     [](Random& random, Block& q) { each(q, [&] { return random.magnitude(-46, 39); }); }},
    {"some zeros",
     [](Random& random, Block& q) {
       const double share = random.uniform();
       each(q, [&] { return random.chance(share) ? 0.0 : random.magnitude(-1, 1); });
     }},
    {"only one",
     [](Random& random, Block& q) {
       q.fill(0);
       q[random.below(kSuperBlock)] = finite(random.magnitude(-45, 39));
     }},
    {"zero sub-blocks",
     [](Random& random, Block& q) {
       const std::size_t width = std::size_t{8} << random.below(4);
       bool zero = false;
       for (std::size_t i = 0; i < kSuperBlock; ++i) {
         if (i % width == 0) zero = random.chance(0.5);
         q[i] = zero ? 0.0f : finite(random.magnitude(-1, 1));
       }
     }},
    {"log-uniform",
     [](Random& random, Block& q) { each(q, [&] { return random.magnitude(-2, 2); }); }},
};

/// A few rows: each super-block a kind of its own, each 256 columns of the importance too.
struct RandomRows {
  std::size_t rows;
  std::size_t row_elements;
  std::vector<float> values;
  std::vector<float> importance;  ///< empty: none is known
  std::vector<const char*> value_kinds;
  std::vector<const char*> importance_kinds;

  std::size_t super_blocks() const { return values.size() / kSuperBlock; }
  double importance_at(std::size_t i) const {
    return importance.empty() ? 1.0 : double{importance[i % row_elements]};
  }
  std::string describe(std::size_t super_block) const {
    const std::size_t column = super_block % (row_elements / kSuperBlock);
    return "super-block " + std::to_string(super_block) + ": " + value_kinds[super_block] +
           ", importance: " + (importance.empty() ? "none" : importance_kinds[column]);
  }
};

template <std::size_t n>
const char* append(const Kind (&kinds)[n], Random& random, std::vector<float>& values) {
  const Kind& kind = kinds[random.below(n)];
  Block block;
  kind.fill(random, block);
  values.insert(values.end(), block.begin(), block.end());
  return kind.name;
}

/// \param together  how many rows the type stores together: there is a multiple of it
inline RandomRows random_rows(Random& random, bool extreme, std::size_t together = 1) {
  const std::size_t groups = 1 + random.below(together == 1 ? 7 : 2);
  RandomRows rows{together * groups, kSuperBlock * (1 + random.below(6)), {}, {}, {}, {}};
  for (std::size_t i = 0; i < rows.rows * rows.row_elements / kSuperBlock; ++i) {
    rows.value_kinds.push_back(extreme ? append(kExtremes, random, rows.values)
                                       : append(kWeights, random, rows.values));
  }
  if (random.chance(0.15)) return rows;
  for (std::size_t i = 0; i < rows.row_elements / kSuperBlock; ++i) {
    rows.importance_kinds.push_back(extreme ? append(kExtremeImportances, random, rows.importance)
                                            : append(kKnownImportances, random, rows.importance));
  }
  return rows;
}

}  // namespace sluice::testing_support
