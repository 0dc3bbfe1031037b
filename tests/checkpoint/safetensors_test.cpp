// The header of safetensors files: 28 of them with the verdict of the format's own reader, and what
// messages say.

#include <gtest/gtest.h>

#include "checkpoint/fixture.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

std::vector<Entry> parse(const std::string& bytes) {
  const std::uint64_t start = data_offset(bytes_of(bytes), bytes.size(), "file");
  return parse_header(bytes_of(bytes).first(start), bytes.size(), "file");
}

std::string with_header(const std::string& json, std::size_t data) {
  const std::uint64_t length = json.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + json + std::string(data, '\0');
}

/// The message of the error that reading leads to.
std::string message_of(const std::string& bytes) {
  try {
    parse(bytes);
  } catch (const Error& error) {
    EXPECT_EQ(error.context().file, "file");
    EXPECT_FALSE(error.context().cure.empty());
    return error.what();
  }
  return "read without an error";
}

TEST(Safetensors, EveryCaseHasItsVerdict) {
  const std::string folder = kCheckpoints + "safetensors-cases/";
  const auto verdicts = nlohmann::json::parse(read_text(folder + "verdicts.json"));
  EXPECT_EQ(verdicts.size(), 28u);
  for (const auto& [name, verdict] : verdicts.items()) {
    const std::string bytes = read_text(folder + name + ".safetensors");
    if (verdict.get<std::string>().starts_with("ok")) {
      EXPECT_NO_THROW(parse(bytes)) << name;
    } else {
      EXPECT_THROW(parse(bytes), Error) << name << ": " << verdict;
    }
  }
}

TEST(Safetensors, TensorsComeInTheOrderOfTheirData) {
  const std::string bytes = with_header(
      R"({"b":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12],"more":{"x":[1,{"y":[]}]}},)"
      R"("__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},)"
      R"("c":{"dtype":"F4","shape":[0,3],"data_offsets":[12,12]}})",
      12);
  const std::vector<Entry> entries = parse(bytes);
  ASSERT_EQ(entries.size(), 3u);
  const std::uint64_t start = bytes.size() - 12;
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[0].offset, start);
  EXPECT_EQ(entries[1].name, "b");
  EXPECT_EQ(entries[1].dtype, Dtype::f32);
  EXPECT_EQ(entries[1].shape, (std::vector<std::uint64_t>{2, 1}));
  EXPECT_EQ(entries[1].offset, start + 4);
  EXPECT_EQ(entries[1].size, 8u);
  EXPECT_EQ(entries[2].size, 0u);
}

TEST(Safetensors, MessagesNameTheTensorAndTheFault) {
  const auto one = [](const std::string& what) {
    return message_of(with_header("{\"w\":{" + what + "}}", 4));
  };
  EXPECT_NE(one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])")
                .find("tensor 'w': its shape takes 8 bytes, and its data have 4"),
            std::string::npos);
  EXPECT_NE(one(R"("dtype":"F99","shape":[1],"data_offsets":[0,4])").find("'F99' is unknown"),
            std::string::npos);
  EXPECT_NE(one(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])")
                .find("'dtype' is given twice"),
            std::string::npos);
  EXPECT_NE(one(R"("dtype":"F32","shape":1,"data_offsets":[0,4])").find("'shape' is no list"),
            std::string::npos);
  EXPECT_NE(one(R"("dtype":"F32","shape":[1.5],"data_offsets":[0,4])").find("no whole number"),
            std::string::npos);
  EXPECT_NE(one(R"("dtype":"F32","shape":[[1]],"data_offsets":[0,4])").find("no list of numbers"),
            std::string::npos);
  EXPECT_NE(one(R"("dtype":"F32","shape":[1],"data_offsets":[0,4,8])").find("not two"),
            std::string::npos);
  EXPECT_NE(one(R"("dtype":"F4","shape":[3],"data_offsets":[0,4])").find("whole bytes"),
            std::string::npos);
  EXPECT_NE(message_of(with_header(R"({"a\u001bb":{"dtype":"I8","shape":[5],)"
                                   R"("data_offsets":[0,5]}})",
                                   4))
                .find("tensor 'a\\x1bb': its data end at byte 5 of the data, of which the file has "
                      "only 4"),
            std::string::npos);
}

TEST(Safetensors, WhatIsNoJsonIsToldByItsByteInTheFile) {
  EXPECT_NE(message_of(with_header(R"({"w":?})", 0)).find("(at byte 13)"), std::string::npos)
      << message_of(with_header(R"({"w":?})", 0));
}

TEST(Safetensors, NestingIsBounded) {
  const std::string deep = R"({"w":)" + std::string(100000, '[');
  EXPECT_NE(message_of(with_header(deep, 0)).find("is no object"), std::string::npos);
  const std::string ignored = R"({"w":{"x":)" + std::string(100000, '[');
  EXPECT_NE(message_of(with_header(ignored, 0)).find("nested more than 64 deep"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::checkpoint
