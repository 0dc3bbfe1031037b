#include "gguf/split.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sluice/error.h"
#include "support/gguf_builder.h"

namespace sluice::gguf {
namespace {

using testing_support::Bytes;
using testing_support::GgufBuilder;

constexpr std::uint64_t kTensors = 4;

/// One of three parts: the first with the model's metadata and two tensors, the others with one.
GgufBuilder part(std::uint16_t no, std::uint16_t count = 3, std::int32_t tensors = kTensors) {
  GgufBuilder builder;
  if (no == 0) builder.string("general.architecture", "llama");
  builder.u16("split.no", no).u16("split.count", count).i32("split.tensors.count", tensors);
  if (no == 0) builder.u32("llama.block_count", 2).tensor("first", {2}, 0, Bytes(8));
  builder.tensor("t" + std::to_string(no), {4}, 0, Bytes(16));
  return builder;
}

Part parsed(const GgufBuilder& builder, const std::string& file) {
  const Bytes bytes = builder.build();
  return {file, parse_header(bytes, bytes.size(), file).value()};
}

std::vector<Part> three() {
  return {parsed(part(0), "a"), parsed(part(1).alignment(64), "b"), parsed(part(2), "c")};
}

std::string message_of(const std::vector<Part>& parts) {
  try {
    merge_parts(parts);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input_format);
    EXPECT_FALSE(error.context().file.empty());
    EXPECT_FALSE(error.context().cure.empty());
    return error.what();
  }
  return "no error";
}

TEST(Split, AnyPartTellsTheNamesOfAll) {
  const std::vector<std::string> all{"dir/m-x-00001-of-00003.gguf", "dir/m-x-00002-of-00003.gguf",
                                     "dir/m-x-00003-of-00003.gguf"};
  for (std::uint16_t no = 0; no < 3; ++no) {
    const Part p = parsed(part(no), all[no]);
    const auto split = split_of(p.header, p.file);
    ASSERT_TRUE(split);
    EXPECT_EQ(split->no, no);
    EXPECT_EQ(split->count, 3u);
    EXPECT_EQ(split->tensors, kTensors);
    EXPECT_EQ(part_files(p.file, *split), all);
  }
  const auto many = part_files("m-00001-of-12345.gguf", {0, 12345, {}});
  ASSERT_EQ(many.size(), 12345u);
  EXPECT_EQ(many.back(), "m-12345-of-12345.gguf");
}

TEST(Split, AWrongNameIsRefused) {
  const Split second{1, 3, {}};
  for (const char* name : {"m.gguf", "m-00001-of-00003.gguf", "m-00002-of-00004.gguf",
                           "m-00002-of-00003.gguf.part", "00002-of-00003.gguf", ""}) {
    EXPECT_THROW(part_files(name, second), Error) << name;
  }
  EXPECT_EQ(part_files("-00002-of-00003.gguf", second).front(), "-00001-of-00003.gguf");
}

TEST(Split, ANameLeadsToTheSet) {
  for (const char* name : {"dir/m-x", "dir/m-x.gguf", "dir/m-x-00007-of-00009.gguf"}) {
    EXPECT_EQ(stem_of(name), "dir/m-x") << name;
  }
  EXPECT_EQ(stem_of("m-00001-of-00003"), "m-00001-of-00003") << "no name of a part";
  EXPECT_EQ(stem_of("m-0001-of-00003.gguf"), "m-0001-of-00003");
  EXPECT_EQ(stem_of(".gguf"), "");
  EXPECT_EQ(part_file("dir/m-x", 0, 3), "dir/m-x-00001-of-00003.gguf");
  EXPECT_EQ(part_file("m", 65534, 65535), "m-65535-of-65535.gguf");
}

// The types that llama.cpp asks for: its reader takes no other width.
TEST(Split, TheKeysAreWrittenInTheirTypes) {
  Header header;
  set_split(header, 3, 65535, 1147);
  EXPECT_EQ(header.find("split.no")->type, ValueType::u16);
  EXPECT_EQ(header.find("split.count")->type, ValueType::u16);
  EXPECT_EQ(header.find("split.tensors.count")->type, ValueType::i32);
  const Split split = split_of(header, "m").value();
  EXPECT_EQ(split.no, 3u);
  EXPECT_EQ(split.count, 65535u);
  EXPECT_EQ(split.tensors, 1147u);
}

TEST(Split, FilesWithoutOtherPartsAreWhole) {
  const auto whole = [](const GgufBuilder& b) { return !split_of(parsed(b, "m").header, "m"); };
  EXPECT_TRUE(whole(GgufBuilder().u32("x", 1)));
  EXPECT_TRUE(whole(GgufBuilder().u16("split.count", 0)));  // llama.cpp's merging leaves this
  EXPECT_TRUE(whole(GgufBuilder().u16("split.no", 0).u16("split.count", 1)));
  EXPECT_FALSE(whole(GgufBuilder().u32("split.no", 0).u32("split.count", 2)));

  const std::vector<Part> one{parsed(part(0, 1, 2), "m")};
  const Model model = merge_parts(one);
  EXPECT_EQ(model.header.tensors.size(), 2u);
  EXPECT_EQ(model.header.find("split.count"), nullptr);
}

TEST(Split, ContradictoryKeysAreRefused) {
  const auto refused = [](const GgufBuilder& b) {
    EXPECT_THROW(split_of(parsed(b, "m").header, "m"), Error);
  };
  refused(GgufBuilder().u16("split.count", 2));
  refused(GgufBuilder().u16("split.count", 2).u16("split.no", 2));
  refused(GgufBuilder().i32("split.count", -2).u16("split.no", 0));
  refused(GgufBuilder().string("split.count", "2").u16("split.no", 0));
  refused(GgufBuilder().u32("split.count", 65536).u16("split.no", 0));
  refused(GgufBuilder().u16("split.count", 2).u16("split.no", 0).i32("split.tensors.count", -1));
}

TEST(Split, MergesTensorsAndDropsTheKeys) {
  const std::vector<Part> parts = three();
  const Model model = merge_parts(parts);
  ASSERT_EQ(model.header.metadata.size(), 2u);
  EXPECT_EQ(model.header.metadata[0].key, "general.architecture");
  EXPECT_EQ(model.header.metadata[1].key, "llama.block_count");
  EXPECT_EQ(model.header.alignment, 32u);
  std::vector<std::string> names;
  for (const Tensor& tensor : model.header.tensors) names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"first", "t0", "t1", "t2"}));
  EXPECT_EQ(model.parts, (std::vector<std::uint32_t>{0, 0, 1, 2}));
  EXPECT_EQ(model.header.tensors[1].offset, 32u);
  EXPECT_EQ(model.header.tensors[3].offset, 0u);
}

TEST(Split, PartsThatDoNotBelongTogetherAreRefused) {
  std::vector<Part> parts = three();
  EXPECT_EQ(message_of(parts), "no error");

  std::swap(parts[1], parts[2]);
  EXPECT_NE(message_of(parts).find("c: is part 3 of 3, but stands as part 2"), std::string::npos);
  parts.pop_back();
  EXPECT_NE(message_of(parts).find("a: is part 1 of 3, but stands as part 1 of 2"),
            std::string::npos);

  parts = three();
  parts[1] = parsed(part(1, 3, 5), "b");
  EXPECT_NE(message_of(parts).find("b: announces 5 tensors"), std::string::npos);

  parts = three();
  parts[2] = parsed(GgufBuilder(part(2)).tensor("extra", {1}, 0, Bytes(4)), "c");
  EXPECT_NE(message_of(parts).find("announces 4 tensors in all parts, but they have 5"),
            std::string::npos);

  parts = three();
  parts[2].header.tensors[0].name = "t0";
  EXPECT_NE(message_of(parts).find("c: tensor 't0': is already in a"), std::string::npos);

  parts = three();
  parts[1] = parsed(GgufBuilder().tensor("t1", {4}, 0, Bytes(16)), "b");
  EXPECT_NE(message_of(parts).find("b: is part 1 of 1"), std::string::npos);
}

}  // namespace
}  // namespace sluice::gguf
