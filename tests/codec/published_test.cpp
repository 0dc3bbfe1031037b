// The codings of published checkpoints, by their definitions: every code with many factors, runs
// that begin and end anywhere, and no byte looked at but those of the run.

#include "codec/published.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <limits>
#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "codec/random_rows.h"
#include "codec/tiny_float.h"

namespace sluice {
namespace {

using testing_support::Random;
using testing_support::tiny_float;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double signed_value(unsigned code, unsigned sign, double magnitude) {
  return code & sign ? -magnitude : magnitude;
}

double value_of_e4m3(unsigned code) {
  const unsigned bits = code & 0x7f;
  return bits == 0x7f ? kNaN : signed_value(code, 0x80, tiny_float(bits, 4, 3));
}

double value_of_e5m2(unsigned code) {
  const unsigned bits = code & 0x7f;
  if (bits > 0x7c) return kNaN;
  return signed_value(code, 0x80, bits == 0x7c ? kInfinity : tiny_float(bits, 5, 2));
}

double value_of_e2m1(unsigned code) {
  return signed_value(code, 8, tiny_float(code & 7, 2, 1));
}

double value_of_int8(unsigned code) {
  return code < 128 ? code : code - 256.0;
}

struct Coding {
  const char* name;
  DecodeCodesFunction CodeDecoders::*decode;
  unsigned bits;
  double (*value)(unsigned code);
};

void PrintTo(const Coding& coding, std::ostream* out) {
  *out << coding.name;
}

constexpr Coding kCodings[] = {
    {"f8_e4m3", &CodeDecoders::f8_e4m3, 8, value_of_e4m3},
    {"f8_e5m2", &CodeDecoders::f8_e5m2, 8, value_of_e5m2},
    {"int8", &CodeDecoders::int8, 8, value_of_int8},
    {"words4", &CodeDecoders::words4, 4, [](unsigned code) { return code - 8.0; }},
    {"words8", &CodeDecoders::words8, 8, [](unsigned code) { return code - 128.0; }},
    {"mxfp4", &CodeDecoders::mxfp4, 4, value_of_e2m1},
    {"nvfp4_even", &CodeDecoders::nvfp4_even, 8,
     [](unsigned codes) { return value_of_e2m1(codes & 15); }},
    {"nvfp4_odd", &CodeDecoders::nvfp4_odd, 8,
     [](unsigned codes) { return value_of_e2m1(codes >> 4); }},
};

/// Code `i` of a row: bits counted from the lowest of words of 32 bits, the first byte lowest.
unsigned code_at(const Coding& coding, const std::byte* row, std::size_t i) {
  const std::size_t bit = i * coding.bits;
  unsigned word = 0;
  for (std::size_t byte = bit / 32 * 4; byte <= bit / 8; ++byte) {
    word |= std::to_integer<unsigned>(row[byte]) << byte % 4 * 8;
  }
  return word >> bit % 32 & ((1u << coding.bits) - 1);
}

float expected(const Coding& coding, const std::byte* row, std::size_t i, float factor) {
  return static_cast<float>(coding.value(code_at(coding, row, i))) * factor;
}

bool same(float a, float b) {
  return std::isnan(a) ? std::isnan(b)
                       : std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

/// Whole pages between two that nobody may touch.
class Fenced {
 public:
  explicit Fenced(std::size_t pages) : size_(pages * kPage) {
    void* mapped = mmap(nullptr, size_ + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) throw std::runtime_error("no memory");
    begin_ = static_cast<std::byte*>(mapped) + kPage;
    mprotect(begin_, size_, PROT_READ | PROT_WRITE);
  }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  ~Fenced() { munmap(begin_ - kPage, size_ + 2 * kPage); }

  std::byte* begin() { return begin_; }
  std::byte* end() { return begin_ + size_; }

 private:
  static inline const std::size_t kPage = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

  std::size_t size_;
  std::byte* begin_;
};

class Published : public testing::TestWithParam<Coding> {
 protected:
  std::size_t bytes_of(std::size_t codes) const { return (codes * GetParam().bits + 7) / 8; }
};

TEST_P(Published, EveryCodeTimesAnyFactorIsRoundedOnce) {
  std::vector<std::byte> row(256);
  for (unsigned i = 0; i < 256; ++i) row[i] = static_cast<std::byte>(i);
  const std::size_t count = 256 * 8 / GetParam().bits;
  std::vector<float> factors = {1,        -1,           0,           -0.0f,   3,
                                FLT_MIN,  FLT_TRUE_MIN, 0x1.8p-130f, FLT_MAX, -FLT_MAX,
                                INFINITY, -INFINITY,    NAN};
  for (int power = -149; power < 128; ++power) factors.push_back(std::ldexp(1.0f, power));
  Random random("factors");
  for (int i = 0; i < 300; ++i) factors.push_back(testing_support::any_float(random));
  for (const Isa isa : supported_isas()) {
    const DecodeCodesFunction decode = code_decoders(isa).*GetParam().decode;
    for (const float factor : factors) {
      std::vector<float> out(count);
      decode(row.data(), 0, count, factor, out.data());
      for (std::size_t i = 0; i < count; ++i) {
        const float wanted = expected(GetParam(), row.data(), i, factor);
        ASSERT_TRUE(same(out[i], wanted)) << name(isa) << ": code " << i << " times " << factor
                                          << " is " << wanted << ", not " << out[i];
      }
    }
  }
}

TEST_P(Published, RunsBeginAndEndAnywhere) {
  constexpr std::size_t kFirsts = 67;
  constexpr std::size_t kMost = 150;
  std::vector<std::byte> row(bytes_of(kFirsts + kMost) + 3);
  Random random("runs");
  for (std::byte& byte : row) byte = static_cast<std::byte>(random.bits());
  for (const Isa isa : supported_isas()) {
    const DecodeCodesFunction decode = code_decoders(isa).*GetParam().decode;
    for (std::size_t first = 0; first < kFirsts; ++first) {
      for (std::size_t count = 0; count <= kMost; ++count) {
        constexpr float kUntouched = 12345;
        std::vector<float> out(count + 2, kUntouched);
        decode(row.data(), first, count, 0.7f, out.data() + 1);
        ASSERT_EQ(out.front(), kUntouched);
        ASSERT_EQ(out.back(), kUntouched);
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_TRUE(same(out[1 + i], expected(GetParam(), row.data(), first + i, 0.7f)))
              << name(isa) << ": " << count << " codes from " << first << ", at " << i;
        }
      }
    }
  }
}

TEST_P(Published, ReadsNothingBesideTheRun) {
  Fenced memory(1);
  std::fill(memory.begin(), memory.end(), std::byte{0x35});
  const std::size_t in_byte = 8 / GetParam().bits;
  std::vector<float> out(300);
  for (const Isa isa : supported_isas()) {
    const DecodeCodesFunction decode = code_decoders(isa).*GetParam().decode;
    for (std::size_t count = 0; count < out.size(); ++count) {
      decode(memory.begin(), 0, count, 1, out.data());
      decode(memory.end() - bytes_of(count), 0, count, 1, out.data());
      // A row that began long ago: what is before the run is not there any more.
      const std::size_t first = 40 * in_byte + count % in_byte;
      decode(memory.begin() - 40, first, count, 1, out.data());
      decode(memory.end() - bytes_of(first + count), first, count, 1, out.data());
    }
    decode(nullptr, 0, 0, 1, nullptr);
  }
}

TEST(Published, TheFenceIsThere) {
  Fenced memory(1);
  EXPECT_DEATH(code_decoders().int8(memory.end() - 4, 0, 5, 1, std::vector<float>(5).data()), "");
}

INSTANTIATE_TEST_SUITE_P(Codings, Published, testing::ValuesIn(kCodings),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace sluice
