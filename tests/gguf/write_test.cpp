#include <gtest/gtest.h>

#include <limits>

#include "sluice/error.h"
#include "sluice/gguf.h"
#include "support/gguf_builder.h"

namespace sluice::gguf {
namespace {

using testing_support::array_bytes;
using testing_support::Bytes;
using testing_support::GgufBuilder;

GgufBuilder builder_of_all_kinds() {
  GgufBuilder builder;
  builder.string("general.architecture", "llama").u32("llama.block_count", 2);
  builder.i32s("heads", {4, 8}).f32s("scales", {0.5f, 2}).strings("tokens", {"<s>", "", "x"});
  builder.f32("eps", 1e-5f).boolean("bos", true).i32("negative", -3);
  builder.raw("u8", 0, Bytes(1)).raw("i64", 11, Bytes(8, std::byte{0xff}));
  builder.tensor("a", {64, 3}, 1, Bytes(384)).tensor("b", {5}, 0, Bytes(20));
  builder.tensor("c", {32, 2, 2, 1}, 8, Bytes(136));
  return builder;
}

// The independent builder's bytes are the truth: what was read is written back byte by byte.
TEST(Serialize, GivesBackTheBytesOfAVersion3File) {
  for (const auto& builder : {builder_of_all_kinds(), builder_of_all_kinds().alignment(4096),
                              builder_of_all_kinds().data_order({1, 2, 0}),
                              builder_of_all_kinds().version(2), GgufBuilder()}) {
    const Bytes file = builder.build();
    const auto header = parse_header(file, file.size(), "m").value();
    const Bytes written = serialize_header(header);
    ASSERT_EQ(written.size(), header.data_offset);
    Bytes expected(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(written.size()));
    expected[4] = std::byte{3};
    EXPECT_EQ(written, expected);
  }
}

TEST(Values, HaveTheBytesOfTheFormat) {
  const std::vector<std::string> texts{"a", "", "bc"};
  const std::vector<float> floats{1, -2};
  const std::vector<std::int32_t> ints{7, -7};
  Header header;
  header.set("u32", Value::of(std::uint32_t{5}));
  header.set("i32", Value::of(std::int32_t{-5}));
  header.set("f32", Value::of(0.5f));
  header.set("bool", Value::of(true));
  header.set("string", Value::of(std::string_view("text")));
  header.set("literal", Value::of("text"));
  header.set("strings", Value::of_strings(texts));
  header.set("floats", Value::of_floats(floats));
  header.set("ints", Value::of_ints(ints));
  header.set("none", Value::of_ints({}));
  EXPECT_EQ(serialize_header(header), GgufBuilder()
                                          .u32("u32", 5)
                                          .i32("i32", -5)
                                          .f32("f32", 0.5f)
                                          .boolean("bool", true)
                                          .string("string", "text")
                                          .string("literal", "text")
                                          .strings("strings", texts)
                                          .f32s("floats", floats)
                                          .i32s("ints", ints)
                                          .i32s("none", {})
                                          .build());
}

template <typename T>
Value value_of(std::uint32_t type, T number) {
  Value value{static_cast<ValueType>(type), {}};
  testing_support::put(value.bytes, number);
  return value;
}

TEST(Values, AreReadAsUnsignedNumbers) {
  EXPECT_EQ(value_of(0, std::uint8_t{255}).as_uint(), 255u);
  EXPECT_EQ(value_of(1, std::int8_t{127}).as_uint(), 127u);
  EXPECT_EQ(value_of(1, std::int8_t{-1}).as_uint(), std::nullopt);
  EXPECT_EQ(value_of(2, std::uint16_t{65535}).as_uint(), 65535u);
  EXPECT_EQ(value_of(3, std::int16_t{-1}).as_uint(), std::nullopt);
  EXPECT_EQ(value_of(4, std::uint32_t{1u << 31}).as_uint(), 1u << 31);
  EXPECT_EQ(value_of(5, std::int32_t{9}).as_uint(), 9u);
  EXPECT_EQ(value_of(10, ~std::uint64_t{0}).as_uint(), ~std::uint64_t{0});
  EXPECT_EQ(value_of(11, std::int64_t{-1}).as_uint(), std::nullopt);
  EXPECT_EQ(value_of(6, 1.0f).as_uint(), std::nullopt);
  EXPECT_EQ(value_of(7, std::uint8_t{1}).as_uint(), std::nullopt);
  EXPECT_EQ(Value::of("7").as_uint(), std::nullopt);
  EXPECT_EQ(value_of(4, std::uint8_t{1}).as_uint(), std::nullopt) << "too few bytes";

  const auto array = [](Bytes bytes) { return Value{ValueType::array, std::move(bytes)}; };
  using Numbers = std::vector<std::uint64_t>;
  EXPECT_EQ(array(array_bytes<std::uint8_t>(0, {1, 255})).as_uints(), (Numbers{1, 255}));
  EXPECT_EQ(array(array_bytes<std::int64_t>(11, {3})).as_uints(), (Numbers{3}));
  EXPECT_EQ(array(array_bytes<std::int32_t>(5, {})).as_uints(), Numbers{});
  EXPECT_EQ(array(array_bytes<std::int32_t>(5, {1, -1})).as_uints(), std::nullopt);
  EXPECT_EQ(array(array_bytes<float>(6, {1})).as_uints(), std::nullopt);
  EXPECT_EQ(array(Bytes(3)).as_uints(), std::nullopt);
  EXPECT_EQ(Value::of(std::uint32_t{1}).as_uints(), std::nullopt);
  EXPECT_EQ(Value::of_ints({}).as_strings(), std::nullopt);
  EXPECT_EQ(Value::of(std::uint32_t{1}).as_string(), std::nullopt);
}

TEST(Metadata, SetKeepsThePlaceAndEraseRemoves) {
  Header header;
  header.set("a", Value::of("1"));
  header.set("b", Value::of("2"));
  header.set("a", Value::of(std::uint32_t{3}));
  ASSERT_EQ(header.metadata.size(), 2u);
  EXPECT_EQ(header.metadata[0].key, "a");
  EXPECT_EQ(header.metadata[0].value.as_uint(), 3u);
  EXPECT_TRUE(header.erase("a"));
  EXPECT_FALSE(header.erase("a"));
  ASSERT_EQ(header.metadata.size(), 1u);
  EXPECT_EQ(header.metadata[0].key, "b");
}

TEST(LayOut, FollowsLlamaCppsRule) {
  for (const std::uint64_t alignment : {1u, 32u, 256u}) {
    std::vector<Tensor> tensors{{"a", {256, 3}, TensorType::iq1_m, 77, 1},
                                {"b", {5}, TensorType::f32, 0, 0},
                                {"c", {32, 2, 2}, TensorType::q8_0, 0, 0}};
    const std::uint64_t end = lay_out(tensors, alignment);
    const std::vector<std::uint64_t> sizes{168, 20, 136};
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_EQ(tensors[i].size, sizes[i]);
      EXPECT_EQ(tensors[i].offset, offset);
      offset += (sizes[i] + alignment - 1) / alignment * alignment;
    }
    EXPECT_EQ(end, offset);
  }
}

TEST(LayOut, RefusesWhatNoFileCanHold) {
  constexpr std::uint64_t k60 = std::uint64_t{1} << 60;
  std::vector<Tensor> tensors(5, {"a", {k60}, TensorType::f32, 0, 0});
  EXPECT_THROW(lay_out(tensors, 32), Error);
}

}  // namespace
}  // namespace sluice::gguf
