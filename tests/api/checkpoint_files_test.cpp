// Published checkpoints by whatever name they are given, and what people give in their place.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "api/model_files.h"
#include "sluice/error.h"
#include "support/temp_folder.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing_support::TempFolder;

const std::string kCheckpoints = SLUICE_TEST_DATA "/checkpoints/";

std::set<std::string> keys_of(const gguf::Header& header) {
  std::set<std::string> keys;
  for (const gguf::KeyValue& pair : header.metadata) keys.insert(pair.key);
  return keys;
}

std::string model_name(const ModelFiles& files) {
  return files.model.find("general.name")->as_string().value();
}

/// A checkpoint that may be changed.
class Copy {
 public:
  explicit Copy(const std::string& name) {
    fs::copy(kCheckpoints + name, path(), fs::copy_options::recursive);
  }
  std::string path() const { return folder_ / "model"; }
  std::string file(const std::string& name) const { return path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(file(name)).parent_path());
    std::ofstream(file(name), std::ios::binary) << text;
  }
  void remove(const std::string& name) const { fs::remove(file(name)); }

 private:
  TempFolder folder_;
};

std::string refusal_of(const std::string& path, ErrorCode code) {
  try {
    open_model(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_FALSE(error.context().file.empty()) << error.what();
    EXPECT_FALSE(error.context().cure.empty()) << error.what();
    return error.what();
  }
  return "no error";
}

void expect_words(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), text.npos) << text;
}

class Published : public ::testing::TestWithParam<std::string> {};

TEST_P(Published, HaveTheKeysThatTheConverterWrites) {
  const std::string name = GetParam().substr(0, GetParam().rfind('-'));
  std::ifstream file(kCheckpoints + "expected/" + GetParam() + ".json");
  const auto listing = nlohmann::json::parse(file);
  std::set<std::string> expected;
  for (const auto& pair : listing["kv"]) expected.insert(pair["key"]);
  const ModelFiles files = open_model(kCheckpoints + name);
  EXPECT_EQ(keys_of(files.model), expected);
  EXPECT_TRUE(files.published);
  EXPECT_EQ(files.weights.sources.size(), files.model.tensors.size());
}

TEST_P(Published, AreOpenedByFolderIndexOrAnyPart) {
  const std::string folder = kCheckpoints + GetParam().substr(0, GetParam().rfind('-'));
  const ModelFiles whole = open_model(folder);
  std::vector<std::string> names = {folder + "/", folder + "/."};
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path();
    if (name.ends_with(".safetensors") || name.ends_with(".index.json")) names.push_back(name);
  }
  for (const std::string& name : names) {
    const ModelFiles files = open_model(name);
    EXPECT_EQ(files.parts.size(), whole.parts.size()) << name;
    EXPECT_EQ(files.header_hashes, whole.header_hashes) << name;
    EXPECT_EQ(keys_of(files.model), keys_of(whole.model)) << name;
    EXPECT_EQ(model_name(files), model_name(whole)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Published,
                         ::testing::Values("deepseek_v3_fp8-bf16", "gpt_oss-bf16", "llama2_spm-f16",
                                           "mixtral-bf16", "qwen3_next-bf16"),
                         [](const auto& listing) {
                           return listing.param.substr(0, listing.param.rfind('-'));
                         });

TEST(CheckpointFiles, ANameIsTheFoldersOrTheRepositorysInTheHubsCache) {
  const Copy copy("qwen2");
  EXPECT_EQ(model_name(open_model(copy.path())), "Model");
  const fs::path here = fs::current_path();
  fs::current_path(copy.path());
  EXPECT_EQ(model_name(open_model(".")), "Model");
  EXPECT_EQ(model_name(open_model("../model/")), "Model");
  EXPECT_EQ(model_name(open_model("model.safetensors")), "Model");
  fs::current_path(here);

  // The cache's files are links to blobs.
  const TempFolder cache;
  const fs::path repository = cache / "models--acme--Tiny-Chat";
  const fs::path revision = repository / "snapshots" / "0123abcd";
  fs::create_directories(revision);
  fs::create_directories(repository / "blobs");
  for (const auto& entry : fs::directory_iterator(copy.path())) {
    const fs::path name = entry.path().filename();
    fs::copy(entry.path(), repository / "blobs" / name);
    fs::create_symlink(fs::path("../../blobs") / name, revision / name);
  }
  const ModelFiles files = open_model(revision);
  EXPECT_EQ(model_name(files), "Tiny Chat");
  EXPECT_EQ(files.model.find("general.organization")->as_string(), "Acme");
  fs::remove(repository / "blobs" / "model.safetensors");
  expect_words(refusal_of(revision, ErrorCode::input_open), "is a link to ../../blobs/model");
}

TEST(CheckpointFiles, OneSetOfWeightsIsRead) {
  const Copy copy("qwen2");
  fs::copy(copy.file("model.safetensors"), copy.file("consolidated.safetensors"));
  copy.write("._model.safetensors", "of another system");
  copy.write("pytorch_model.bin", "a pickle");
  copy.write("original/consolidated.00.pth", "a pickle");
  EXPECT_EQ(open_model(copy.path()).parts.size(), 1u);
  expect_words(refusal_of(copy.file("consolidated.safetensors"), ErrorCode::input_open),
               "Mistral's own format");
  expect_words(refusal_of(copy.file("pytorch_model.bin"), ErrorCode::input_open), "pickles");
}

TEST(CheckpointFiles, AFileOfAnotherNameIsReadWithWhatIsBesideIt) {
  const Copy copy("qwen2");
  fs::rename(copy.file("model.safetensors"), copy.file("tuned.safetensors"));
  EXPECT_EQ(open_model(copy.file("tuned.safetensors")).parts.size(), 1u);
  expect_words(refusal_of(copy.path(), ErrorCode::input_open), "no weights");
}

TEST(CheckpointFiles, PartsMustBeThereAndWhole) {
  const Copy copy("mixtral");
  const std::string second = copy.file("model-00002-of-00002.safetensors");
  fs::resize_file(second, fs::file_size(second) - 1);
  expect_words(refusal_of(copy.path(), ErrorCode::input_truncated), second);
  fs::rename(second, second + ".incomplete");
  for (const std::string& name : {copy.path(), copy.file("model-00001-of-00002.safetensors"),
                                  copy.file("model.safetensors.index.json")}) {
    expect_words(refusal_of(name, ErrorCode::input_open),
                 "1 of 2 parts is missing: model-00002-of-00002.safetensors");
  }
  const std::string first = copy.file("model-00001-of-00002.safetensors");
  fs::copy(first, second);  // of the right name only
  expect_words(refusal_of(copy.path(), ErrorCode::input_format), "has it as well");
}

TEST(CheckpointFiles, PointersOfGitLfsAreTold) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4567\n";
  for (const std::string name : {"model.safetensors", "tokenizer.json"}) {
    const Copy copy("qwen2");
    copy.write(name, pointer);
    const std::string refusal = refusal_of(copy.path(), ErrorCode::input_open);
    expect_words(refusal, copy.file(name));
    expect_words(refusal, "git lfs pull");
  }
}

struct Wrong {
  std::string what;
  std::function<void(const Copy&)> make;
  ErrorCode code;
  std::string words;
};

TEST(CheckpointFiles, WhatIsNoCheckpointIsToldWhatItIs) {
  const std::vector<Wrong> wrongs = {
      {"no config.json", [](const Copy& copy) { copy.remove("config.json"); },
       ErrorCode::input_open, "there is no config.json beside the weights"},
      {"an adapter",
       [](const Copy& copy) {
         copy.remove("config.json");
         copy.write("adapter_config.json", "{}");
       },
       ErrorCode::input_type, "merge_and_unload"},
      {"GGUF files",
       [](const Copy& copy) {
         copy.remove("config.json");
         copy.write("m-Q8_0.gguf", "GGUF");
       },
       ErrorCode::input_open, "model/m-Q8_0.gguf"},
      {"a repository in the cache",
       [](const Copy& copy) {
         fs::remove_all(copy.path());
         copy.write("refs/main", "0123abcd");
       },
       ErrorCode::input_open, "snapshots"},
      {"an empty folder",
       [](const Copy& copy) {
         fs::remove_all(copy.path());
         fs::create_directory(copy.path());
       },
       ErrorCode::input_open, "the folder is empty"},
      {"an unfinished download",
       [](const Copy& copy) {
         fs::rename(copy.file("model.safetensors"), copy.file("model.safetensors.incomplete"));
       },
       ErrorCode::input_open, "not finished"},
      {"quantized by another method",
       [](const Copy& copy) {
         auto config = nlohmann::json::parse(std::ifstream(copy.file("config.json")));
         config["quantization_config"] = {{"quant_method", "awq"}};
         copy.write("config.json", config.dump());
       },
       ErrorCode::input_type, "quantized by awq"},
      {"an endless config.json",
       [](const Copy& copy) { fs::resize_file(copy.file("config.json"), 17 << 20); },
       ErrorCode::input_format, "16.0 MiB at most"},
      {"no tokenizer", [](const Copy& copy) { copy.remove("tokenizer.json"); },
       ErrorCode::input_format, "no tokenizer that can be read"},
  };
  for (const Wrong& wrong : wrongs) {
    SCOPED_TRACE(wrong.what);
    const Copy copy("qwen2");
    wrong.make(copy);
    expect_words(refusal_of(copy.path(), wrong.code), wrong.words);
  }
}

TEST(CheckpointFiles, ANameThatLeadsNowhereIsAnsweredWithTheNearest) {
  const Copy copy("qwen2");
  expect_words(refusal_of(copy.path() + "s/", ErrorCode::input_open),
               "Did you mean " + copy.path() + "?");
  expect_words(refusal_of(copy.file("modle.safetensors"), ErrorCode::input_open),
               "Did you mean " + copy.file("model.safetensors") + "?");
  expect_words(refusal_of("acme/Tiny-Chat", ErrorCode::input_open), "hf://acme/Tiny-Chat");
}

TEST(CheckpointFiles, APreTokenizerMayBeNamed) {
  const ModelFiles files = open_model(kCheckpoints + "qwen2", nullptr, "gpt-2");
  EXPECT_EQ(files.model.find("tokenizer.ggml.pre")->as_string(), "gpt-2");
  const std::string gguf = SLUICE_TEST_DATA "/model/tiny-llama-f16.gguf";
  ASSERT_EQ(open_model(gguf, nullptr, "gpt-2").notes.size(), 1u);
  EXPECT_TRUE(open_model(gguf).notes.empty());
}

TEST(CheckpointFiles, WhatIsLeftOutIsCounted) {
  const ModelFiles files = open_model(kCheckpoints + "deepseek_v3_fp8");
  ASSERT_EQ(files.notes.size(), 1u);
  EXPECT_EQ(files.notes[0],
            "left out: 21 tensors for multi-token prediction (MTP), as "
            "model.layers.2.eh_proj.weight");
}

}  // namespace
}  // namespace sluice
