// Published checkpoints and repositories of the hub as inputs, over the network.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/web_world.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kCheckpoint = SLUICE_TEST_DATA "/checkpoints/deepseek_v3_fp8";

class RemoteCheckpoint : public WebWorld {
 protected:
  RemoteCheckpoint() {
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .tensor("output_norm.weight", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)));
    write_file(folder_ / "one.gguf", builder.build());
  }

  static Finished sluice(std::vector<std::string> words) {
    words.insert(words.begin(), SLUICE_PROGRAM);
    return run(words);
  }

  /// What `inspect` tells of a model, but for where its files are.
  static Json told(const std::string& model) {
    const Finished done = sluice({"inspect", "--json", model});
    EXPECT_EQ(done.status, 0) << done.errors;
    Json json = Json::parse(done.out, nullptr, false);
    for (Json& file : json["files"]) file.erase("path");
    if (model.starts_with("hf://")) json["notes"].erase(json["notes"].begin());  // of the commit
    return json;
  }

  static Reply file(const Asked& asked, const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    if (!fs::is_regular_file(path)) return {.status = 404};
    return reply_with(asked, std::make_shared<const std::string>(text.str()), "\"" + path + "\"");
  }

  /// Serves a checkpoint's files below any folder, without a list of them.
  static Reply plain_server(const Asked& asked) {
    const std::string path = asked.target.substr(0, asked.target.find('?'));
    return file(asked, kCheckpoint + path.substr(path.rfind('/')));
  }

  /// A hub whose repository org/name has the checkpoint, and others GGUF files.
  Reply hub(const Asked& asked) const {
    const std::string sha = "0123456789abcdef0123456789abcdef01234567";
    const std::string name = asked.target.substr(asked.target.rfind('/') + 1);
    if (asked.target.starts_with("/api/models/")) {
      Json siblings = Json::array();
      const auto add = [&](const std::string& path) { siblings.push_back({{"rfilename", path}}); };
      if (asked.target.find("org/name/") != std::string::npos) {
        for (const auto& entry : fs::directory_iterator(kCheckpoint)) add(entry.path().filename());
        add("metal/other.safetensors");
      } else if (asked.target.find("org/quants/") != std::string::npos) {
        for (const char* path :
             {"a-Q4.gguf", "b-00001-of-00002.gguf", "b-00002-of-00002.gguf", "BF16/one.gguf"})
          add(path);
      } else {
        return {.status = 404};
      }
      return {.body = Json{{"sha", sha}, {"siblings", siblings}}.dump()};
    }
    EXPECT_NE(asked.target.find("/resolve/" + sha + "/"), std::string::npos) << asked.target;
    return file(asked, name == "one.gguf" ? folder_ / name : kCheckpoint + ("/" + name));
  }

  std::unique_ptr<WebServer> serve_hub() const {
    auto server = serve([this](const Asked& asked) { return hub(asked); });
    set("HF_ENDPOINT", server->origin("localhost"));
    return server;
  }
};

TEST_F(RemoteCheckpoint, OnAServerThatListsNothing) {
  const auto server = serve(plain_server);
  const Json expected = told(kCheckpoint);
  ASSERT_FALSE(expected["tensors"].empty());
  const std::string folder = server->origin("localhost") + "/some/deepseek_v3_fp8/";
  for (const char* name : {"", "config.json", "model.safetensors.index.json?sig=secret&x=1",
                           "model-00002-of-00002.safetensors"}) {
    EXPECT_TRUE(told(folder + name) == expected) << name;
  }
  for (const Asked& asked : server->asked()) {
    EXPECT_TRUE(asked.target.starts_with("/some/deepseek_v3_fp8/")) << asked.target;
  }
}

TEST_F(RemoteCheckpoint, IsRunWithoutBeingOnTheDisk) {
  const auto server = serve(plain_server);
  std::ofstream(folder_ / "ids") << "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";
  const auto imatrix = [&](const std::string& model) {
    const Finished done = sluice({"imatrix", model, "--calibrate-tokens", folder_ / "ids", "-c",
                                  "8", "-o", folder_ / "out.gguf"});
    EXPECT_EQ(done.status, 0) << done.errors;
    return read_file(folder_ / "out.gguf");
  };
  const std::vector<std::byte> expected = imatrix(kCheckpoint);
  EXPECT_EQ(imatrix(server->origin("localhost") + "/some/deepseek_v3_fp8/"), expected);
}

TEST_F(RemoteCheckpoint, OnTheHub) {
  const auto server = serve_hub();
  Json expected = told(kCheckpoint);
  for (const char* name : {"hf://org/name", "hf://org/name/", "hf://org/name@v1",
                           "hf://org/name/model-00001-of-00002.safetensors",
                           "hf://org/name/model.safetensors.index.json"}) {
    Json found = told(name);
    // The model is called as the repository is, which is org/name and not deepseek_v3_fp8.
    for (const char* key : {"general.name", "general.organization", "general.basename",
                            "general.size_label", "general.finetune", "general.version"}) {
      found["metadata"].erase(key);
      expected["metadata"].erase(key);
    }
    EXPECT_TRUE(found == expected) << name << Json::diff(found, expected).dump(1);
  }
  const Finished told_once = sluice({"inspect", "hf://org/name"});
  EXPECT_NE((told_once.out + told_once.errors).find("org/name is read at commit 0123456789abcdef"),
            std::string::npos)
      << told_once.errors;
}

TEST_F(RemoteCheckpoint, RepositoriesOfGgufFiles) {
  const auto server = serve_hub();
  const Json expected = told(folder_ / "one.gguf");
  EXPECT_EQ(told("hf://org/quants/BF16"), expected);
  EXPECT_EQ(told("hf://org/quants/BF16/one.gguf"), expected);
  const Finished several = sluice({"inspect", "hf://org/quants"});
  EXPECT_EQ(several.status, 2);
  EXPECT_NE(
      several.errors.find("holds several models: BF16/one.gguf, a-Q4.gguf, b-00001-of-00002.gguf."),
      std::string::npos)
      << several.errors;
  const Finished none = sluice({"inspect", "hf://org/quants/F32"});
  EXPECT_EQ(none.status, 3);
  EXPECT_NE(none.errors.find("It has BF16/one.gguf, a-Q4.gguf"), std::string::npos) << none.errors;
  EXPECT_EQ(sluice({"inspect", "hf://org/other"}).status, 3);
}

TEST_F(RemoteCheckpoint, WhatIsMissingIsNamed) {
  const auto server = serve([](const Asked& asked) {
    return asked.target.find("00002-of") == std::string::npos ? plain_server(asked)
                                                              : Reply{.status = 404};
  });
  const std::string folder = server->origin("localhost") + "/m/";
  const Finished part = sluice({"inspect", folder});
  EXPECT_EQ(part.status, 3);
  EXPECT_NE(part.errors.find("/m/model-00002-of-00002.safetensors: "), std::string::npos)
      << part.errors;
  const auto empty = serve([](const Asked&) { return Reply{.status = 403}; });
  const Finished nothing = sluice({"inspect", empty->origin("localhost") + "/m/"});
  EXPECT_EQ(nothing.status, 3);
  EXPECT_NE(nothing.errors.find("config.json"), std::string::npos) << nothing.errors;
  EXPECT_EQ(sluice({"inspect", folder + "pytorch_model.bin"}).status, 3);
}

}  // namespace
