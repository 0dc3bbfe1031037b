// A checkpoint that lies on a server becomes the same file, also in two runs with a kill and a
// restart of the server between them.

#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "published/widened.h"
#include "support/process.h"
#include "support/web_world.h"

namespace sluice::published {
namespace {

using namespace testing_support;
namespace fs = std::filesystem;

class Remote : public WebWorld {
 protected:
  Remote() { Widener("deepseek_v3_fp8").made().write(model_, 3); }

  Reply file(const Asked& asked) const {
    const std::string path =
        model_ + "/" + fs::path(asked.target.substr(0, asked.target.find('?'))).filename().string();
    if (!fs::is_regular_file(path)) return {.status = 404};
    const auto bytes = read_file(path);
    return reply_with(asked,
                      std::make_shared<const std::string>(
                          reinterpret_cast<const char*>(bytes.data()), bytes.size()),
                      "\"" + path + "\"");
  }

  std::vector<std::string> command(const std::string& model) const {
    return {SLUICE_PROGRAM, "quantize", "--checkpoint", "0.1", "--threads", "2",
            model,          out_,       "Q8_0"};
  }

  const std::string model_ = folder_ / "model";
  const std::string out_ = folder_ / "out.gguf";
};

TEST_F(Remote, AKilledRunGoesOnAcrossTheServersRestart) {
  ASSERT_EQ(run(command(model_)).status, 0);
  const auto wanted = read_file(out_);
  fs::remove(out_);
  const Certificate certificate = authority_.certificate("localhost");
  const Handler handler = [this](const Asked& asked) { return file(asked); };
  auto server = std::make_unique<WebServer>(handler, certificate, 0, Line{.bytes_per_s = 4e6});
  const std::uint16_t port = server->port();
  const std::string url = server->origin("localhost") + "/model/";
  EXPECT_EQ(kill_once_begun(command(url), out_).status, 128 + SIGKILL);
  server.reset();
  server = std::make_unique<WebServer>(handler, certificate, port);
  const Finished done = run(command(url));
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_NE(done.errors.find("resuming"), std::string::npos) << done.errors;
  EXPECT_TRUE(read_file(out_) == wanted);
}

// The file that says how weights are quantized is asked for, and numbers that no header tells.
TEST_F(Remote, WhatIsInNvfp4BecomesTheSameFile) {
  fs::remove_all(model_);
  widened("deepseek_v3_nvfp4").write(model_, 3);
  ASSERT_EQ(run(command(model_)).status, 0);
  const auto wanted = read_file(out_);
  fs::remove(out_);
  const WebServer server([this](const Asked& asked) { return file(asked); },
                         authority_.certificate("localhost"));
  const Finished done = run(command(server.origin("localhost") + "/model/"));
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_TRUE(read_file(out_) == wanted);
}

}  // namespace
}  // namespace sluice::published
