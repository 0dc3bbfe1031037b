// Metadata values taken apart.

#include <gtest/gtest.h>

#include "sluice/gguf.h"
#include "support/gguf_builder.h"

namespace sluice::gguf {
namespace {

using testing_support::array_bytes;
using testing_support::bytes_of;
using testing_support::put;
using testing_support::put_bytes;
using testing_support::string_array_bytes;

TEST(Value, NumbersOfEveryType) {
  EXPECT_EQ((Value{ValueType::i8, {std::byte{0xff}}}.as_int()), -1);
  EXPECT_EQ((Value{ValueType::i16, bytes_of<std::int16_t>({-300})}.as_int()), -300);
  EXPECT_EQ(Value::of(std::int32_t{-70000}).as_int(), -70000);
  EXPECT_EQ((Value{ValueType::i64, bytes_of<std::int64_t>({INT64_MIN})}.as_int()), INT64_MIN);
  EXPECT_EQ((Value{ValueType::u64, bytes_of<std::uint64_t>({UINT64_MAX})}.as_int()), std::nullopt);
  EXPECT_EQ(Value::of(std::uint32_t{7}).as_int(), 7);
  EXPECT_EQ(Value::of(0.25f).as_float(), 0.25);
  EXPECT_EQ((Value{ValueType::f64, bytes_of<double>({1e300})}.as_float()), 1e300);
  EXPECT_EQ(Value::of(std::uint32_t{7}).as_float(), std::nullopt);
  EXPECT_EQ(Value::of(true).as_bool(), true);
  EXPECT_EQ(Value::of(std::uint32_t{1}).as_bool(), std::nullopt);
  EXPECT_EQ((Value{ValueType::f32, {}}.as_float()), std::nullopt) << "bytes are missing";
  EXPECT_EQ(name(ValueType::boolean), "bool");
  EXPECT_EQ(name(static_cast<ValueType>(99)), "?");
}

TEST(Value, ElementsOfArrays) {
  const std::vector<std::string> texts{"a", "", "ccc"};
  const Value strings = Value::of_strings(texts);
  EXPECT_EQ(strings.as_array()->count, 3u);
  EXPECT_EQ(strings.as_array()->element, ValueType::string);
  const std::vector<Value> first = strings.elements(2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[1].as_string(), "");
  EXPECT_EQ(strings.elements(100)[2].as_string(), "ccc");
  EXPECT_FALSE(Value::of(1.0f).as_array().has_value());
  EXPECT_TRUE(Value::of(1.0f).elements(9).empty());

  Value nested{ValueType::array, {}};
  put(nested.bytes, std::uint32_t{9});
  put(nested.bytes, std::uint64_t{2});
  for (const auto& inner : {array_bytes<std::int32_t>(5, {4, 5}), string_array_bytes({"z"})}) {
    put_bytes(nested.bytes, inner.data(), inner.size());
  }
  const std::vector<Value> arrays = nested.elements(9);
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].elements(9)[1].as_int(), 5);
  EXPECT_EQ(arrays[1].elements(9)[0].as_string(), "z");
}

TEST(Value, ArraysThatEndEarlyGiveWhatIsThere) {
  Value value{ValueType::array, array_bytes<std::int32_t>(5, {1, 2, 3})};
  value.bytes.resize(value.bytes.size() - 2);
  EXPECT_EQ(value.elements(9).size(), 2u);
  value = {ValueType::array, string_array_bytes({"abc"})};
  value.bytes.resize(value.bytes.size() - 1);
  EXPECT_TRUE(value.elements(9).empty());
  value.bytes.resize(3);
  EXPECT_FALSE(value.as_array().has_value());
}

}  // namespace
}  // namespace sluice::gguf
