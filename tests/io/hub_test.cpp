#include "io/http/hub.h"

#include <gtest/gtest.h>

#include <atomic>

#include "io/file.h"
#include "io/http/network.h"
#include "sluice/error.h"
#include "support/web_world.h"

namespace sluice::io {
namespace {

using namespace testing_support;

TEST(HubName, Parts) {
  const auto parts = [](const char* text) {
    const HubName name = parse_hub_name(text);
    return name.repository + "|" + name.revision + "|" + name.path;
  };
  EXPECT_EQ(parts("hf://org/n.a-m_e"), "org/n.a-m_e||");
  EXPECT_EQ(parts("HF://org/name/"), "org/name||");
  EXPECT_EQ(parts("hf://org/name@v1.0/sub/x.gguf"), "org/name|v1.0|sub/x.gguf");
  EXPECT_EQ(parts("hf://org/name@refs/pr/12/x.gguf"), "org/name|refs/pr/12|x.gguf");
  EXPECT_EQ(parts("hf://org/name@my%2Fbranch"), "org/name|my/branch|");
  for (const char* bad : {"hf://", "hf://org", "hf://org/", "hf://org/na me", "hf://org/name/../x",
                          "hf://org/name@/x", "hf://org/name?x=1"}) {
    EXPECT_THROW(parse_hub_name(bad), Error) << bad;
  }
}

class HubTest : public WebWorld {
 protected:
  static constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";

  /// A hub with one repository, whose main branch moves on with each question for it.
  Handler hub() {
    return [this](const Asked& asked) {
      if (asked.target.starts_with("/api/models/org/name/revision/")) {
        ++listings_;
        std::string commit = kCommit;
        commit[0] = static_cast<char>('0' + listings_);
        return Reply{.body = R"({"sha": ")" + commit +
                             R"(", "siblings": [{"rfilename": "b.gguf"}, {"rfilename": "a c.gguf"},
                                 {"rfilename": "../x"}]})"};
      }
      if (asked.target.find("/resolve/") == std::string::npos) return Reply{.status = 404};
      return reply_with(asked, bytes_, "\"one\"");
    };
  }

  std::string error_of(const std::string& name) {
    try {
      File::open_input(name);
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  const std::shared_ptr<const std::string> bytes_ = noise(1000);
  std::atomic<int> listings_ = 0;
};

TEST_F(HubTest, FilesAreOfOneCommit) {
  const auto server = serve(hub());
  set("HF_ENDPOINT", server->origin("localhost"));
  const File one = File::open_input("hf://org/name/b.gguf");
  const File other = File::open_input("hf://org/name/a c.gguf");
  EXPECT_EQ(listings_, 1);
  EXPECT_EQ(one.size(), 1000u);
  EXPECT_EQ(one.path(), "hf://org/name/b.gguf");
  EXPECT_EQ(server->asked().at(0).target, "/api/models/org/name/revision/main");
  const std::string folder = std::string("/org/name/resolve/1") + (kCommit + 1);
  EXPECT_EQ(server->asked().at(1).target, folder + "/b.gguf");
  EXPECT_EQ(server->asked().at(2).target, folder + "/a%20c.gguf");
}

TEST_F(HubTest, RevisionsAreEncoded) {
  const auto server = serve(hub());
  set("HF_ENDPOINT", server->origin("localhost"));
  File::open_input("hf://org/name@refs/pr/1/b.gguf");
  EXPECT_EQ(server->asked().at(0).target, "/api/models/org/name/revision/refs%2Fpr%2F1");
}

TEST_F(HubTest, WhatIsNotThereIsSaid) {
  const auto server = serve(hub());
  set("HF_ENDPOINT", server->origin("localhost"));
  EXPECT_NE(error_of("hf://org/name/c.gguf").find("It has a c.gguf, b.gguf"), std::string::npos)
      << error_of("hf://org/name/c.gguf");
  const std::string other = error_of("hf://org/other/c.gguf");
  EXPECT_NE(other.find("hf://org/other/c.gguf"), std::string::npos) << other;
  EXPECT_NE(other.find("Check the names"), std::string::npos) << other;
}

TEST_F(HubTest, GatedModelsAskForATokenAndTerms) {
  for (const unsigned status : {401U, 403U}) {
    const auto server = serve([&](const Asked&) { return Reply{.status = status}; });
    set("HF_ENDPOINT", server->origin("localhost"));
    ::unsetenv("HF_TOKEN");
    EXPECT_NE(error_of("hf://org/name/b.gguf").find("set HF_TOKEN"), std::string::npos);
    set("HF_TOKEN", "hf_secret");
    const std::string error = error_of("hf://org/name/b.gguf");
    EXPECT_NE(error.find("Accept the model's terms"), std::string::npos) << error;
    EXPECT_EQ(error.find("hf_secret"), std::string::npos) << error;
    EXPECT_EQ(server->asked().at(1).field("authorization"), "Bearer hf_secret");
  }
}

TEST_F(HubTest, ATokenMayBeInAFile) {
  const auto server = serve(hub());
  set("HF_ENDPOINT", server->origin("localhost"));
  const std::string token = "hf_of_file\n";
  write_file(folder_ / "token", std::as_bytes(std::span(token)));
  set("HF_TOKEN_PATH", folder_ / "token");
  File::open_input("hf://org/name/b.gguf");
  for (const Asked& asked : server->asked())
    EXPECT_EQ(asked.field("authorization"), "Bearer hf_of_file");
}

TEST_F(HubTest, Offline) {
  set("HF_HUB_OFFLINE", "1");
  EXPECT_NE(error_of("hf://org/name/b.gguf").find("HF_HUB_OFFLINE"), std::string::npos);
}

TEST_F(HubTest, AnAnswerThatIsNoListingIsAnError) {
  for (const char* body :
       {"", "[]", "{}", R"({"sha": 1, "siblings": []})", R"({"sha": "main", "siblings": []})",
        R"({"sha": "0123456789abcdef0123456789abcdef01234567", "siblings": [{}]})"}) {
    const auto server = serve([&](const Asked&) { return Reply{.body = body}; });
    set("HF_ENDPOINT", server->origin("localhost"));
    EXPECT_NE(error_of("hf://org/name/b.gguf").find("no list of a model's files"),
              std::string::npos)
        << body;
  }
}

}  // namespace
}  // namespace sluice::io
