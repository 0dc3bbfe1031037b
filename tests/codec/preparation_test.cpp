// Encoders that want memory beyond their calls, where there is none.

#include "codec/preparation.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "base/process_memory.h"

namespace sluice {
namespace {

void limit_address_space(rlim_t most) {
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = most;
  ::setrlimit(RLIMIT_AS, &limit);
}

std::vector<std::byte> encode_a_row(const Codec& codec) {
  const std::vector<float> values(256, 0.5f);
  std::vector<std::byte> row(row_size(codec.type, values.size()));
  codec.encode(
      {.values = values.data(), .rows = 1, .row_elements = values.size(), .importance = nullptr},
      row.data());
  return row;
}

bool refuses(TensorType type) {
  try {
    prepared_codec(type);
    return false;
  } catch (const std::bad_alloc&) {
    return true;
  }
}

// Each in a process of its own, in which nothing is prepared.
class Preparation : public testing::TestWithParam<TensorType> {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_P(Preparation, IsRefusedWhereThereIsNoMemoryAndMadeWhenThereIs) {
  const auto child = [] {
    limit_address_space(1);
    const bool refused = refuses(GetParam());
    limit_address_space(RLIM_INFINITY);
    const std::vector<std::byte> row = encode_a_row(prepared_codec(GetParam()));
    std::_Exit(refused && row != std::vector<std::byte>(row.size()) ? 0 : 1);
  };
  EXPECT_EXIT(child(), testing::ExitedWithCode(0), "");
}

TEST_P(Preparation, LetsAnEncoderDoWithoutMemory) {
  const auto child = [] {
    const std::vector<std::byte> row = encode_a_row(prepared_codec(GetParam()));
    limit_address_space(1);
    std::_Exit(encode_a_row(*find_codec(GetParam())) == row ? 0 : 1);
  };
  EXPECT_EXIT(child(), testing::ExitedWithCode(0), "");
}

// Of what the making takes besides, the allocator may keep a little.
TEST_P(Preparation, StaysInAsManyBytesAsItSays) {
  const auto child = [] {
    const std::uint64_t before = anonymous_bytes();
    prepared_codec(GetParam());
    const auto stay = static_cast<double>(anonymous_bytes() - before);
    const auto told = static_cast<double>(prepared_bytes(GetParam()));
    constexpr double kLittle = 1 << 18;
    std::_Exit(told > 0 && std::abs(stay - told) < kLittle ? 0 : 1);
  };
  EXPECT_EXIT(child(), testing::ExitedWithCode(0), "");
}

// As it says.
TEST_P(Preparation, IsMissedByAnEncoderWithoutMemory) {
  const auto child = [] {
    limit_address_space(1);
    encode_a_row(*find_codec(GetParam()));
  };
  EXPECT_EXIT(child(), testing::KilledBySignal(SIGABRT), "");
}

std::string name_of(const testing::TestParamInfo<TensorType>& instance) {
  return std::string(info(instance.param).name);
}
INSTANTIATE_TEST_SUITE_P(Codec, Preparation,
                         testing::Values(TensorType::iq1_kt, TensorType::iq2_kt, TensorType::iq3_kt,
                                         TensorType::iq4_kt),
                         name_of);

}  // namespace
}  // namespace sluice
