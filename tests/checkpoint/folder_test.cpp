// Which files of a folder hold the weights, and what is said of those that are missing or do not.

#include <gtest/gtest.h>

#include "checkpoint/fixture.h"
#include "sluice/error.h"

namespace sluice::checkpoint {
namespace {

using Files = std::vector<std::string>;

/// The error's message, or what was returned.
template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_FALSE(error.context().file.empty());
    EXPECT_FALSE(error.context().cure.empty());
    return error.what();
  }
  return "no error";
}

std::string refusal(const Files& files, const std::optional<Index>& index = {}) {
  return message_of([&] { part_files("folder", files, index); });
}

bool says(const std::string& message, std::string_view what) {
  return message.find(what) != message.npos;
}

TEST(Folder, PartsAreTheIndexsOrAllModelFiles) {
  const Files files = {"model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors",
                       "consolidated.safetensors", "tekken.json", "pytorch_model.bin"};
  EXPECT_EQ(part_files("folder", files, {}), (Files{files[1], files[0]}));
  const Index index = parse_index(
      R"({"metadata":{"total_size":"wrong"},"weight_map":{"a":"x.safetensors","b":"m.safetensors",)"
      R"("c":"x.safetensors"}})",
      "index");
  EXPECT_EQ(
      part_files("folder", Files{"x.safetensors", "m.safetensors", "model.safetensors"}, index),
      (Files{"m.safetensors", "x.safetensors"}));
}

TEST(Folder, OneFileOfTheUsualNameIsAll) {
  const Files files = {"model.fp16.safetensors", "model.safetensors"};
  EXPECT_EQ(part_files("folder", files, {}), Files{"model.safetensors"});
  EXPECT_EQ(part_files("folder", files, {}, files[0]), Files{files[0]});
}

TEST(Folder, MissingPartsAreNamed) {
  const Index index =
      parse_index(R"({"weight_map":{"a":"x.safetensors","b":"y.safetensors"}})", "i");
  EXPECT_TRUE(says(refusal({"x.safetensors"}, index), "1 of 2 parts is missing: y.safetensors"));
  const Index hostile{{{"a", "x\n\x1b[2J.safetensors"}}};
  EXPECT_TRUE(says(refusal({"y.safetensors"}, hostile), "missing: x\\x0a\\x1b[2J.safetensors"));
  EXPECT_TRUE(says(refusal({"model-00002-of-00003.safetensors"}),
                   "2 of 3 parts are missing: model-00001-of-00003.safetensors, "
                   "model-00003-of-00003.safetensors"));
}

TEST(Folder, WhatIsNoCheckpointIsToldWhatToDo) {
  const std::string pickles = refusal({"config.json", "pytorch_model-00001-of-00002.bin"});
  EXPECT_TRUE(says(pickles, "pickles")) << pickles;
  EXPECT_TRUE(says(pickles, "safe_serialization=True")) << pickles;
  EXPECT_TRUE(says(refusal({"consolidated.00.pth"}), "pickles"));
  EXPECT_TRUE(says(refusal({"consolidated.safetensors", "params.json"}), "model*.safetensors"));
  EXPECT_TRUE(says(refusal({"README.md"}), "no weights"));
}

TEST(Folder, AnIndexMustBeSound) {
  const auto refused = [](const std::string& text) {
    return message_of([&] { parse_index(text, "index"); });
  };
  EXPECT_TRUE(
      says(refused(R"({"weight_map":{"a":"../x.safetensors"}})"), "no name of a safetensors"));
  EXPECT_TRUE(says(refused(R"({"weight_map":{"a":"x.bin"}})"), "no name of a safetensors"));
  EXPECT_TRUE(says(refused(R"({"weight_map":{"a":7}})"), "no name of a safetensors"));
  EXPECT_TRUE(says(refused(R"({"weight_map":{"a":"x.safetensors","a":"y.safetensors"}})"),
                   "tensor 'a': the index has this name twice"));
  EXPECT_TRUE(says(refused(R"({"metadata":{}})"), "no 'weight_map'"));
  EXPECT_TRUE(says(refused(R"({"weight_map":)"), "no JSON"));
  EXPECT_TRUE(says(refused(R"({"weight_map":{"a":)" + std::string(1000, '[')), "deep"));
}

TEST(Folder, IndexAndPartsMustAgree) {
  Folder folder;
  folder.path = "folder";
  folder.parts = {{"x.safetensors", {Entry()}}, {"y.safetensors", {Entry()}}};
  folder.parts[0].entries[0].name = "a";
  folder.parts[1].entries[0].name = "b";
  EXPECT_NO_THROW(check_index(folder));
  folder.index = Index{{{"a", "x.safetensors"}, {"b", "y.safetensors"}, {"c", "y.safetensors"}}};
  EXPECT_TRUE(says(message_of([&] { check_index(folder); }),
                   "folder/y.safetensors: tensor 'c': it is not where the index says"));
  folder.index = Index{{{"a", "x.safetensors"}}};
  EXPECT_TRUE(says(message_of([&] { check_index(folder); }), "'b': the index does not have it"));
  folder.index.reset();
  folder.parts[1].entries[0].name = "a";
  EXPECT_TRUE(says(message_of([&] { check_index(folder); }), "x.safetensors has it as well"));
}

}  // namespace
}  // namespace sluice::checkpoint
