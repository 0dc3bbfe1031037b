// JSON as sluice writes it, against what nlohmann's library writes of the same values.

#include "base/json_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

template <class Value>
std::string ours(const Value& value) {
  JsonText json(0);
  json.value(value);
  return json.str();
}

std::string theirs(const Json& json, int indent = -1) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

TEST(JsonText, NestsAndIndents) {
  const std::vector<std::uint64_t> shape = {4096, 8};
  const std::vector<std::string> names = {"a", "b\"c"};
  const auto write = [&](int indent) {
    JsonText json(indent);
    json.object([&] {
      json.field("none", std::nullopt);
      json.field("some", std::optional<int>(-3));
      json.field("shape", shape);
      json.field("empty", std::vector<double>());
      json.object("nothing", [] {});
      json.objects("names", names, [&](const std::string& name) {
        json.field("name", name);
        json.field("good", true);
      });
      json.objects("no objects", std::vector<int>(), [](int) {});
      json.key("list");
      json.array([&] {
        json.value(1.5);
        json.array([&] { json.value("x"); });
        json.object([&] { json.field("k", false); });
      });
    });
    return json.str();
  };
  const Json same = {
      {"none", nullptr},
      {"some", -3},
      {"shape", shape},
      {"empty", Json::array()},
      {"nothing", Json::object()},
      {"names", {{{"name", "a"}, {"good", true}}, {{"name", "b\"c"}, {"good", true}}}},
      {"no objects", Json::array()},
      {"list", {1.5, Json::array({"x"}), {{"k", false}}}}};
  EXPECT_EQ(write(0), theirs(same));
  EXPECT_EQ(write(1), theirs(same, 1));
  EXPECT_EQ(write(3), theirs(same, 3));
}

TEST(JsonText, WritesNumbers) {
  for (const double value : {0.0,
                             -0.0,
                             1.0,
                             -1.0,
                             0.1,
                             1e-4,
                             9.9e-5,
                             1e-5,
                             123456.789,
                             999999999999999.0,
                             1e15,
                             123456789012345678.0,
                             1e16,
                             1e17,
                             1e300,
                             5e-324,
                             2.2250738585072014e-308,
                             1.75,
                             1e22,
                             std::numeric_limits<double>::max(),
                             std::numeric_limits<double>::quiet_NaN(),
                             -std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(ours(value), theirs(value)) << value;
  }
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) {
    EXPECT_EQ(ours(value), theirs(value));
  }
  EXPECT_EQ(ours(UINT64_MAX), theirs(UINT64_MAX));
}

// The other library's digits are not always the fewest.
TEST(JsonText, WritesAnyDoubleSoThatItReadsBack) {
  std::mt19937_64 random(20261127);
  std::size_t same = 0;
  constexpr std::size_t kCount = 100000;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double value =
        i % 2 == 0 ? std::bit_cast<double>(random())
                   : std::ldexp(static_cast<double>(random() >> 11), -static_cast<int>(i % 80));
    if (!std::isfinite(value)) continue;
    const std::string text = ours(value);
    EXPECT_EQ(Json::parse(text).get<double>(), value) << text;
    EXPECT_TRUE(Json::parse(text).is_number_float()) << text;
    EXPECT_LE(text.size(), theirs(value).size()) << text;
    same += text == theirs(value) ? 1 : 0;
  }
  EXPECT_GT(same, kCount * 98 / 100);
}

// Bytes that UTF-8 is made of, in any order, and all that is to be escaped.
TEST(JsonText, EscapesAndReplacesInTexts) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  EXPECT_EQ(ours(all), theirs(all));
  const std::string pieces[] = {"a",    "\"",   "\\",   "\x7f", "\xc2", "\xa9", "\xe2",
                                "\x82", "\xac", "\xed", "\xa0", "\xf0", "\x9f", "\x98",
                                "\x80", "\xf4", "\x90", "\xc0", "\xff", "é",    "😀"};
  std::mt19937_64 random(20261128);
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    for (std::uint64_t left = random() % 7; left > 0; --left) {
      text += pieces[random() % std::size(pieces)];
    }
    ASSERT_EQ(ours(text), theirs(text)) << i;
  }
}

}  // namespace
}  // namespace sluice
