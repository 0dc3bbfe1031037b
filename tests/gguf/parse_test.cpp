#include <gtest/gtest.h>

#include <random>

#include "sluice/error.h"
#include "sluice/gguf.h"
#include "support/gguf_builder.h"

namespace sluice::gguf {
namespace {

using testing_support::array_bytes;
using testing_support::Bytes;
using testing_support::GgufBuilder;
using testing_support::put;
using testing_support::put_bytes;

constexpr std::uint32_t kF32 = 0;
constexpr std::uint32_t kF16 = 1;
constexpr std::uint32_t kQ8 = 8;
constexpr std::uint32_t kIq1M = 29;
constexpr std::uint32_t kIq4Ks = 144;
constexpr std::uint32_t kArray = 9;

/// A model with values of many kinds and tensors of several types and ranks.
GgufBuilder sample() {
  return GgufBuilder()
      .string("general.architecture", "llama")
      .u32("llama.block_count", 2)
      .i32s("llama.heads", {4, 8})
      .strings("tokenizer.ggml.tokens", {"<s>", "", "\xc3\xa4"})
      .f32("llama.eps", 1e-5f)
      .boolean("tokenizer.add_bos", true)
      .u16("split.no", 0)
      .tensor("token_embd.weight", {64, 3}, kF16, Bytes(64 * 3 * 2, std::byte{1}))
      .tensor("norm.weight", {5}, kF32, Bytes(5 * 4, std::byte{2}))
      .tensor("blk.0.ffn_up_exps.weight", {32, 2, 2}, kQ8, Bytes(34 * 4, std::byte{3}));
}

std::optional<Header> parse(const Bytes& file) {
  return parse_header(file, file.size(), "m.gguf");
}

struct Failure {
  ErrorCode code;
  std::string what;
  ErrorContext context;
};

/// The error that a file gives; it must name the file and a cure.
Failure failure(const Bytes& file) {
  try {
    parse(file);
  } catch (const Error& error) {
    EXPECT_EQ(error.context().file, "m.gguf");
    EXPECT_TRUE(error.context().offset);
    EXPECT_FALSE(error.context().cure.empty());
    return {error.code(), error.what(), error.context()};
  }
  ADD_FAILURE() << "no error";
  return {ErrorCode::interrupted, "", {}};
}

#define EXPECT_FAILURE(bytes, expected_code, text)             \
  {                                                            \
    const Failure f = failure(bytes);                          \
    EXPECT_EQ(f.code, ErrorCode::expected_code) << f.what;     \
    EXPECT_NE(f.what.find(text), std::string::npos) << f.what; \
  }

TEST(Parse, ReadsMetadataAndTensors) {
  for (const std::uint32_t version : {2u, 3u}) {
    const Bytes file = sample().version(version).build();
    const auto header = parse(file);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->version, version);
    EXPECT_EQ(header->alignment, 32u);
    ASSERT_EQ(header->metadata.size(), 7u);
    EXPECT_EQ(header->metadata[1].key, "llama.block_count");
    EXPECT_EQ(header->find("general.architecture")->as_string(), "llama");
    EXPECT_EQ(header->find("llama.block_count")->as_uint(), 2u);
    EXPECT_EQ(header->find("llama.heads")->as_uints(), (std::vector<std::uint64_t>{4, 8}));
    EXPECT_EQ(header->find("tokenizer.ggml.tokens")->as_strings(),
              (std::vector<std::string>{"<s>", "", "\xc3\xa4"}));
    EXPECT_EQ(header->find("missing"), nullptr);

    ASSERT_EQ(header->tensors.size(), 3u);
    EXPECT_EQ(header->tensors[0].name, "token_embd.weight");
    EXPECT_EQ(header->tensors[0].type, TensorType::f16);
    EXPECT_EQ(header->tensors[0].size, 384u);
    EXPECT_EQ(header->tensors[1].offset, 384u);
    EXPECT_EQ(header->tensors[1].size, 20u);
    const Tensor& experts = header->tensors[2];
    EXPECT_EQ(experts.shape, (std::vector<std::uint64_t>{32, 2, 2}));
    EXPECT_EQ(experts.type, TensorType::q8_0);
    EXPECT_EQ(experts.offset, 384u + 32u);
    EXPECT_EQ(experts.size, 34u * 4);
    EXPECT_EQ(experts.elements(), 128u);
    EXPECT_EQ(header->data_offset, file.size() - (384 + 32 + 160));
    EXPECT_EQ(file[header->data_offset + experts.offset], std::byte{3});
  }
}

TEST(Parse, ReadsAnyOrderGapsAndAlignments) {
  for (const std::uint32_t alignment : {1u, 2u, 8u, 32u, 64u, 4096u, 1u << 20}) {
    const auto builder = sample().alignment(alignment).data_order({2, 0, 1}).gap(100);
    const Bytes file = builder.build();
    const auto header = parse(file);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->alignment, alignment);
    EXPECT_EQ(header->data_offset % alignment, 0u);
    const auto offsets = builder.offsets();
    for (std::size_t i = 0; i < 3; ++i) {
      const Tensor& tensor = header->tensors[i];
      EXPECT_EQ(tensor.offset, offsets[i]);
      for (std::uint64_t at = 0; at < tensor.size; ++at) {
        ASSERT_EQ(file[header->data_offset + tensor.offset + at], static_cast<std::byte>(i + 1));
      }
    }
  }
}

TEST(Parse, TheLastTensorNeedsNoPadding) {
  Bytes file = GgufBuilder().tensor("a", {1}, kF32, Bytes(4)).build();
  file.resize(file.size() - 28);
  EXPECT_TRUE(parse(file));
  file.resize(file.size() - 1);
  EXPECT_FAILURE(file, input_truncated, "tensor 'a'");
}

TEST(Parse, AModelWithoutTensorsOrMetadataIsAHeader) {
  // The first part of a split model may be that, and its padding missing.
  const Bytes metadata = GgufBuilder().u32("x", 1).header();
  EXPECT_EQ(parse(metadata)->metadata.size(), 1u);
  EXPECT_EQ(parse(GgufBuilder().build())->tensors.size(), 0u);
}

TEST(Parse, AScalarIsARowOfOne) {
  const Bytes file = GgufBuilder().tensor("a", {}, kF32, Bytes(4)).build();
  EXPECT_EQ(parse(file)->tensors[0].shape, std::vector<std::uint64_t>{1});
}

// Bytes of three rows of 512 weights, from the formats' descriptions.
TEST(Parse, TypesThatAreOnlyCopiedHaveTheirSizesToo) {
  struct Case {
    std::uint32_t type;
    std::uint64_t bytes;
  };
  for (const Case& each :
       {Case{144, 24 * (4 + 2 * 136)}, Case{145, 24 * (2 + 2 * 70)}, Case{146, 24 * (4 + 2 * 128)},
        Case{152, 24 * (4 + 2 * 168)}, Case{153, 24 * (4 + 2 * 68)}, Case{154, 24 * (4 + 2 * 100)},
        Case{155, 24 * (4 + 2 * 128)}, Case{156, 24 * (2 + 2 * 102)}, Case{157, 24 * (2 + 2 * 86)},
        Case{158, 24 * (4 + 2 * 56)}, Case{212, 24 * 2 * 144}, Case{219, 24 * (2 + 16 * 6)},
        Case{229, 24 * (2 + 16 * 7)}, Case{344, 24 * (4 + 2 * 136)}, Case{41, 24 * 4 * 18},
        Case{42, 24 * 8 * 18}, Case{31, 24 * 16 * 18}}) {
    const auto header = parse(GgufBuilder()
                                  .tensor("a", {512, 24}, each.type, Bytes(each.bytes))
                                  .tensor("b", {512}, kF32, Bytes(2048))
                                  .build());
    ASSERT_TRUE(header);
    EXPECT_EQ(header->tensors[0].size, each.bytes) << each.type;
    EXPECT_EQ(static_cast<std::uint32_t>(header->tensors[0].type), each.type);
  }
}

TEST(Parse, OfAnUnknownTypeAllUpToTheNextTensorIsTaken) {
  constexpr std::uint32_t kUnknown = 77;
  GgufBuilder builder;
  builder.tensor("a", {5, 3}, kUnknown, Bytes(70))
      .tensor("b", {4}, kF32, Bytes(16))
      .tensor("c", {1000}, 0xffffffff, Bytes(1))
      .data_order({2, 1, 0});
  Bytes file = builder.build();
  auto header = parse(file);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->tensors[0].size, 96u) << "the padding with it";
  EXPECT_EQ(header->tensors[2].size, 32u);
  EXPECT_EQ(static_cast<std::uint32_t>(header->tensors[2].type), 0xffffffffu);
  file.resize(file.size() - 26);
  EXPECT_EQ(parse(file)->tensors[0].size, 70u) << "the file ends without padding";
  // It has some bytes: where another begins, or the file ends, it cannot begin.
  EXPECT_FAILURE(
      GgufBuilder().tensor("a", {4}, kUnknown, {}).tensor("b", {4}, kF32, Bytes(16)).build(),
      input_format, "overlaps that of tensor");
  EXPECT_FAILURE(GgufBuilder().tensor("a", {4}, kUnknown, {}).build(), input_truncated,
                 "tensor 'a'");
  EXPECT_EQ(
      parse(GgufBuilder().tensor("a", {0}, kUnknown, {}).tensor("b", {4}, kF32, Bytes(16)).build())
          ->tensors[0]
          .size,
      0u);
}

TEST(Parse, TensorsWithoutElementsTakeNoRoom) {
  for (const std::uint32_t type : {kF32, kQ8, kIq1M}) {
    for (const std::vector<std::uint64_t>& shape :
         {std::vector<std::uint64_t>{0}, {0, 7}, {256, 0}, {256, std::uint64_t{1} << 60, 0}}) {
      for (const std::size_t place : {0, 1, 2}) {
        GgufBuilder builder;
        for (std::size_t i = 0; i < 3; ++i) {
          if (i == place) {
            builder.tensor("empty", shape, type, {});
          } else {
            builder.tensor("t" + std::to_string(i), {3}, kF32, Bytes(12, std::byte{1}));
          }
        }
        const auto header = parse(builder.build());
        ASSERT_TRUE(header);
        const Tensor& empty = header->tensors[place];
        EXPECT_EQ(empty.shape, shape);
        EXPECT_EQ(empty.size, 0u);
        EXPECT_EQ(empty.elements(), 0u);
        EXPECT_EQ(empty.offset, builder.offsets()[place]);
      }
    }
  }
}

TEST(Parse, ATensorWithoutElementsMayFollowPaddingThatIsLeftOut) {
  Bytes file = GgufBuilder().tensor("a", {1}, kF32, Bytes(4)).tensor("b", {0}, kF32, {}).build();
  file.resize(file.size() - 28);
  EXPECT_TRUE(parse(file));
  EXPECT_FAILURE(
      GgufBuilder().tensor("a", {1}, kF32, Bytes(4)).tensor("b", {0}, kF32, {}, 64).build(),
      input_truncated, "tensor 'b'");
}

TEST(Parse, EveryKnownTypeHasItsSize) {
  for (const TensorTypeInfo& type : tensor_types()) {
    const std::uint64_t row = 2 * type.block_elements;
    const std::uint64_t rows = 3 * type.rows;
    const std::uint64_t size = rows * (2 * type.block_bytes + type.row_bytes);
    const Bytes file =
        GgufBuilder()
            .tensor("a", {row, rows}, static_cast<std::uint32_t>(type.type), Bytes(size))
            .build();
    const auto header = parse(file);
    EXPECT_EQ(header->tensors[0].type, type.type);
    EXPECT_EQ(header->tensors[0].size, size);
    EXPECT_EQ(byte_size(type.type, row * rows, row), size);
  }
}

TEST(Parse, NestedArraysAreKeptAsTheyAre) {
  Bytes inner;  // two arrays in an array: of u8 and of strings
  put(inner, std::uint32_t{kArray});
  put(inner, std::uint64_t{2});
  const Bytes numbers = array_bytes<std::uint8_t>(0, {1, 2, 3});
  const Bytes texts = testing_support::string_array_bytes({"x", ""});
  put_bytes(inner, numbers.data(), numbers.size());
  put_bytes(inner, texts.data(), texts.size());
  const Bytes file = GgufBuilder().raw("nested", kArray, inner).u32("after", 7).build();
  const auto header = parse(file);
  EXPECT_EQ(header->find("nested")->bytes, inner);
  EXPECT_EQ(header->find("after")->as_uint(), 7u);
}

TEST(Parse, ArraysNestedTooDeepAreRefused) {
  Bytes deep;
  for (int i = 0; i < 1000; ++i) {
    put(deep, std::uint32_t{kArray});
    put(deep, std::uint64_t{1});
  }
  put_bytes(deep, array_bytes<std::uint8_t>(0, {1}).data(), 13);
  EXPECT_FAILURE(GgufBuilder().raw("deep", kArray, deep).build(), input_format, "nested");
}

TEST(Parse, APrefixAsksForMoreUntilTheHeaderIsThere) {
  const Bytes header = sample().header();
  const Bytes file = sample().build();
  for (std::size_t size = 0; size <= file.size(); ++size) {
    const auto parsed = parse_header(std::span(file).first(size), file.size(), "m.gguf");
    EXPECT_EQ(parsed.has_value(), size >= header.size()) << size;
  }
}

TEST(Parse, AFileCutAnywhereIsTruncated) {
  const Bytes file = sample().build();
  const std::size_t last_byte = file.size() - 24;  // 136 bytes of data, padded to 160
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Bytes part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    if (size >= last_byte) {
      EXPECT_TRUE(parse(part));
    } else {
      EXPECT_EQ(failure(part).code, ErrorCode::input_truncated) << size;
    }
  }
}

// What is far too large must be refused from a small prefix at once, not asked for.
TEST(Parse, HostileCountsAndLengthsAreRefused) {
  for (const std::uint64_t huge :
       {std::uint64_t{1} << 60, ~std::uint64_t{0}, std::uint64_t{1} << 63, std::uint64_t{100}}) {
    EXPECT_FAILURE(sample().claim_tensors(huge).build(), input_truncated, "tensors");
    EXPECT_FAILURE(sample().claim_keys(huge).build(), input_truncated, "metadata keys");
    Bytes length;
    put(length, huge);
    EXPECT_FAILURE(GgufBuilder().raw("text", 8, length).build(), input_truncated, "key 'text'");
    for (std::uint32_t type = 0; type <= 12; ++type) {
      Bytes array;
      put(array, type);
      put(array, huge);
      EXPECT_FAILURE(GgufBuilder().raw("list", kArray, array).build(), input_truncated,
                     "key 'list'");
    }
    Bytes name = GgufBuilder().claim_tensors(1).build();
    name.resize(24);
    put(name, huge);
    name.resize(100);
    EXPECT_FAILURE(name, input_truncated, "");
  }
}

// In a sparse file of an exabyte these would fit, and would be read into memory.
TEST(Parse, AnAbsurdlyLargeHeaderIsRefusedEvenIfTheFileIsLarger) {
  constexpr std::uint64_t kExabyte = std::uint64_t{1} << 60;
  Bytes length;
  put(length, std::uint64_t{1} << 40);
  for (const Bytes& file :
       {GgufBuilder().raw("text", 8, length).build(), sample().claim_tensors(1 << 30).build(),
        sample().claim_keys(1 << 30).build()}) {
    try {
      parse_header(file, kExabyte, "m.gguf");
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::input_format) << error.what();
    }
  }
}

TEST(Parse, OtherFilesAreRefused) {
  Bytes file = sample().build();
  file[0] = std::byte{'T'};
  EXPECT_FAILURE(file, input_format, "not a GGUF file: it begins with 'TGUF'");
  Bytes zip(10);
  EXPECT_FAILURE(zip, input_format, "not a GGUF file: it begins with '\\x00\\x00\\x00\\x00'");
  EXPECT_FAILURE(Bytes{}, input_truncated, "");
  EXPECT_FAILURE(sample().version(1).build(), input_format, "version 1");
  EXPECT_FAILURE(sample().version(0).build(), input_format, "version 0");
  EXPECT_FAILURE(sample().version(4).build(), input_format, "version 4");
  EXPECT_FAILURE(sample().version(0x03000000).build(), input_format, "big-endian");
}

TEST(Parse, BadNamesAreRefused) {
  const auto tensor = [](const std::string& name) {
    return GgufBuilder().tensor(name, {1}, kF32, Bytes(4)).build();
  };
  EXPECT_TRUE(parse(tensor(std::string(1024, 'n'))));
  EXPECT_FAILURE(tensor(std::string(1025, 'n')), input_format, "1025 bytes");
  EXPECT_FAILURE(tensor(""), input_format, "empty");
  EXPECT_TRUE(parse(GgufBuilder().u32(std::string(65535, 'k'), 1).build()));
  EXPECT_FAILURE(GgufBuilder().u32(std::string(65536, 'k'), 1).build(), input_format, "65536");
  EXPECT_FAILURE(GgufBuilder().u32("", 1).build(), input_format, "empty");
  // Every class of bytes that are not UTF-8: stray, overlong, surrogate, too large, cut off; NUL.
  using namespace std::string_literals;
  for (const std::string& bad :
       {"\x80"s, "\xc1\x81"s, "\xe0\x80\x80"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80"s, "\xe2\x82"s, "a\xffz"s, "a\0b"s}) {
    EXPECT_FAILURE(tensor(bad), input_format, "not UTF-8");
    EXPECT_FAILURE(GgufBuilder().u32(bad, 1).build(), input_format, "not UTF-8");
  }
  for (const std::string& good : {"\x7f"s, "\xc2\x80"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
                                  "\xee\x80\x80"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s}) {
    EXPECT_EQ(parse(tensor(good))->tensors[0].name, good);
  }
}

TEST(Parse, DuplicatesAreRefused) {
  EXPECT_FAILURE(sample().u32("llama.block_count", 3).build(), input_format,
                 "key 'llama.block_count': is given twice");
  EXPECT_FAILURE(sample().tensor("norm.weight", {1}, kF32, Bytes(4)).build(), input_format,
                 "tensor 'norm.weight': is described twice");
}

TEST(Parse, BadValuesAreRefused) {
  EXPECT_FAILURE(GgufBuilder().raw("k", 13, Bytes(8)).build(), input_format, "value type 13");
  EXPECT_FAILURE(GgufBuilder().raw("k", kArray, array_bytes<std::uint8_t>(77, {1})).build(),
                 input_format, "value type 77");
  for (const std::uint32_t alignment : {0u, 3u, 33u, 1u << 25}) {
    EXPECT_FAILURE(GgufBuilder().u32("general.alignment", alignment).build(), input_format,
                   "general.alignment");
  }
  EXPECT_FAILURE(GgufBuilder().i32("general.alignment", -32).build(), input_format,
                 "general.alignment");
  EXPECT_FAILURE(GgufBuilder().string("general.alignment", "32").build(), input_format,
                 "general.alignment is of the type string");
  EXPECT_FAILURE(GgufBuilder().boolean("general.alignment", true).build(), input_format,
                 "general.alignment is of the type bool");
  EXPECT_FAILURE(GgufBuilder().f32("general.alignment", 32).build(), input_format,
                 "general.alignment is of the type f32");
  EXPECT_FAILURE(GgufBuilder().i32s("general.alignment", {32}).build(), input_format,
                 "general.alignment is of the type array");
}

TEST(Parse, BadTensorsAreRefused) {
  const auto tensor = [](std::vector<std::uint64_t> shape, std::uint32_t type,
                         std::optional<std::uint64_t> offset = {}) {
    return GgufBuilder()
        .tensor("first", {8}, kF32, Bytes(32))
        .tensor("bad", std::move(shape), type, Bytes(64), offset)
        .build();
  };
  EXPECT_TRUE(parse(tensor({16}, kF32)));
  EXPECT_TRUE(parse(tensor({16}, kF32, 32)));
  constexpr std::uint64_t k32 = std::uint64_t{1} << 32;
  constexpr std::uint64_t k61 = std::uint64_t{1} << 61;
  EXPECT_FAILURE(tensor({1, 1, 1, 1, 1}, kF32), input_format, "tensor 'bad': 5 extents");
  EXPECT_FAILURE(tensor({k32, k32}, kF32), input_format, "tensor 'bad': its extents multiply");
  EXPECT_FAILURE(tensor({k32, k32}, kIq1M), input_format, "its extents multiply");
  EXPECT_FAILURE(tensor({k32, k32, k32, k32}, kIq1M), input_format, "its extents multiply");
  EXPECT_FAILURE(tensor({1, k61 * 2}, kF32), input_format, "its extents multiply");
  EXPECT_FAILURE(tensor({k61}, kF32, 32), input_truncated, "tensor 'bad'");
  EXPECT_FAILURE(tensor({17}, kF32), input_truncated, "tensor 'bad'");
  EXPECT_FAILURE(tensor({128}, kIq1M), input_format, "tensor 'bad': a row of 128 weights");
  EXPECT_FAILURE(tensor({k32, k32}, 77), input_format, "tensor 'bad': its extents multiply");
  EXPECT_FAILURE(tensor({255}, kIq4Ks), input_format, "tensor 'bad': a row of 255 weights");
  EXPECT_FAILURE(tensor({256, k61}, kIq4Ks), input_format, "tensor 'bad': its extents multiply");
  EXPECT_FAILURE(tensor({256}, kIq4Ks), input_truncated, "tensor 'bad': its 140 bytes");
  EXPECT_FAILURE(tensor({8}, kF32, 33), input_format, "tensor 'bad': its offset 33");
  EXPECT_FAILURE(tensor({4}, kF32, 48), input_format, "alignment 32");
  EXPECT_FAILURE(tensor({8}, kF32, 96), input_truncated, "tensor 'bad'");
  EXPECT_FAILURE(tensor({8}, kF32, ~std::uint64_t{31}), input_truncated, "tensor 'bad'");
  EXPECT_FAILURE(tensor({8}, kF32, 0), input_format, "overlaps");
  EXPECT_EQ(failure(tensor({8}, kF32, 0)).context.tensor, "bad");
}

TEST(Parse, RandomDamageIsAnErrorOrAHeaderWithinTheFile) {
  const Bytes whole = sample().build();
  const std::size_t header_size = sample().header().size();
  std::mt19937 random(1);
  int parsed = 0;
  for (int i = 0; i < 40000; ++i) {
    Bytes file = whole;
    for (int flips = 1 + i % 4; flips > 0; --flips) {
      file[random() % header_size] ^= static_cast<std::byte>(1 << random() % 8);
    }
    try {
      const auto header = parse(file);
      ASSERT_TRUE(header) << "a whole file has no more to read";
      ++parsed;
      for (const Tensor& tensor : header->tensors) {
        ASSERT_EQ(tensor.offset % header->alignment, 0u);
        if (tensor.size > 0) {
          ASSERT_LE(header->data_offset + tensor.offset + tensor.size, file.size());
        }
        ASSERT_TRUE(!has_layout(tensor.type) ||
                    tensor.size ==
                        byte_size(tensor.type, tensor.elements(), tensor.row_elements()));
      }
      for (const auto& [key, value] : header->metadata) {  // accessors must bear any bytes
        (void)value.as_uint();
        (void)value.as_string();
        (void)value.as_uints();
        (void)value.as_strings();
      }
    } catch (const Error&) {
    }
  }
  EXPECT_GT(parsed, 1000);
  EXPECT_LT(parsed, 39000);
}

}  // namespace
}  // namespace sluice::gguf
