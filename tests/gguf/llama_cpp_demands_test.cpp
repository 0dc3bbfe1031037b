#include "gguf/llama_cpp_demands.h"

#include <gtest/gtest.h>

namespace sluice::gguf {
namespace {

Value number(ValueType type, std::uint64_t value, std::size_t size) {
  Value result{type, std::vector<std::byte>(size)};
  for (std::size_t i = 0; i < size; ++i) {
    result.bytes[i] = static_cast<std::byte>(value >> (8 * i));
  }
  return result;
}

Header header_with(const std::string& key, Value value) {
  Header header;
  if (key != "general.architecture") header.set("general.architecture", Value::of("llama"));
  header.set(key, std::move(value));
  return header;
}

TEST(Demands, NumbersOfOtherTypesAreGivenInTheRightOne) {
  for (const char* key : {"general.alignment", "general.file_type", "general.quantization_version",
                          "llama.block_count", "llama.attention.head_count"}) {
    for (const Value& value : {number(ValueType::u64, 64, 8), number(ValueType::i64, 64, 8),
                               number(ValueType::i32, 64, 4), number(ValueType::u16, 64, 2),
                               number(ValueType::i16, 64, 2), number(ValueType::u8, 64, 1),
                               number(ValueType::i8, 64, 1)}) {
      const auto wrong = mistyped_values(header_with(key, value));
      ASSERT_EQ(wrong.size(), 1u) << key;
      EXPECT_EQ(wrong[0].key, key);
      EXPECT_EQ(wrong[0].found, value.type);
      EXPECT_EQ(wrong[0].wanted, ValueType::u32);
      ASSERT_TRUE(wrong[0].right) << key;
      EXPECT_EQ(wrong[0].right->type, ValueType::u32);
      EXPECT_EQ(wrong[0].right->bytes, number(ValueType::u32, 64, 4).bytes);
    }
    EXPECT_TRUE(mistyped_values(header_with(key, Value::of(std::uint32_t{64}))).empty());
  }
}

TEST(Demands, WhatTheRightTypeCannotHoldHasNoRightValue) {
  const std::vector<std::int32_t> list{1, 2};
  for (const Value& value :
       {number(ValueType::u64, std::uint64_t{1} << 32, 8), Value::of(std::int32_t{-1}),
        Value::of(1.0f), Value::of(true), Value::of("64"), Value::of_ints(list)}) {
    const auto wrong = mistyped_values(header_with("general.file_type", value));
    ASSERT_EQ(wrong.size(), 1u);
    EXPECT_FALSE(wrong[0].right);
  }
  const auto wrong = mistyped_values(header_with("general.architecture", Value::of(1.0f)));
  ASSERT_EQ(wrong.size(), 1u);
  EXPECT_EQ(wrong[0].wanted, ValueType::string);
  EXPECT_FALSE(wrong[0].right);
}

TEST(Demands, SomeHyperparametersMayBeOneForEachLayer) {
  const std::vector<std::int32_t> list{4, 8};
  EXPECT_TRUE(
      mistyped_values(header_with("llama.attention.head_count_kv", Value::of_ints(list))).empty());
  EXPECT_EQ(mistyped_values(header_with("llama.block_count", Value::of_ints(list))).size(), 1u);
  EXPECT_TRUE(
      mistyped_values(header_with("bert.block_count", number(ValueType::u64, 2, 8))).empty())
      << "of another architecture";
}

TEST(Demands, SplitKeysAreSmallNumbers) {
  for (const auto& [key, wanted] : {std::pair("split.no", ValueType::u16),
                                    {"split.count", ValueType::u16},
                                    {"split.tensors.count", ValueType::i32}}) {
    const auto wrong = mistyped_values(header_with(key, Value::of(std::uint32_t{2})));
    ASSERT_EQ(wrong.size(), 1u) << key;
    EXPECT_EQ(wrong[0].wanted, wanted);
    EXPECT_TRUE(mistyped_values(header_with(key, *wrong[0].right)).empty());
  }
}

TEST(Demands, NamesOfMoreThan63BytesAreCounted) {
  Header header;
  header.tensors.resize(3);
  header.tensors[0].name = std::string(63, 'a');
  header.tensors[1].name = "b";
  EXPECT_FALSE(long_names(header));
  header.tensors[1].name = std::string(64, 'b');
  header.tensors[2].name = std::string(32, 'c') + "\xc3\xa4" + std::string(30, 'c');
  const auto note = long_names(header);
  ASSERT_TRUE(note);
  EXPECT_TRUE(note->starts_with("2 tensors")) << *note;
  EXPECT_NE(note->find(std::string(64, 'b')), std::string::npos) << *note;
}

TEST(Demands, TypesOfOtherProgramsAreNamed) {
  Header header;
  header.tensors.resize(4);
  header.tensors[0].type = TensorType::iq1_m;
  header.tensors[1].type = TensorType{42};  // Q2_0
  EXPECT_FALSE(foreign_types(header));
  header.tensors[1].type = TensorType{144};
  header.tensors[2].type = TensorType{31};
  header.tensors[3].type = TensorType::iq4_k;
  EXPECT_EQ(foreign_types(header), "llama.cpp has no types q4_0_4_4, iq4_k, iq4_ks");
}

}  // namespace
}  // namespace sluice::gguf
