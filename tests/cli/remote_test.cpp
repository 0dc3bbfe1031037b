// The program over the network: models on servers and hubs that break in every way, stopped and
// killed runs, and that no secret gets out.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "gguf/split.h"
#include "support/gguf_builder.h"
#include "support/process.h"
#include "support/web_world.h"

namespace {

using namespace sluice::testing_support;
namespace fs = std::filesystem;

class RemoteCli : public WebWorld {
 protected:
  RemoteCli() { write_file(folder_ / "model.gguf", model(2000)); }

  /// \param rows  of half a KiB
  static Bytes model(std::size_t rows) {
    std::mt19937 random(3);
    std::vector<std::uint16_t> halves(256 * rows);
    for (std::uint16_t& half : halves) half = static_cast<std::uint16_t>(0x2c00 + random() % 2048);
    GgufBuilder builder;
    builder.string("general.architecture", "llama")
        .u32("llama.block_count", 1)
        .u32("llama.attention.head_count", 8)
        .u32("llama.attention.head_count_kv", 8)
        .tensor("token_embd.weight", {256, rows}, 1, bytes_of(halves))
        .tensor("blk.0.attn_q.weight", {256, rows}, 1, bytes_of(halves))
        .tensor("output_norm.weight", {256}, 0, bytes_of(std::vector<float>(256, 1.0f)))
        .tensor("output.weight", {256, rows}, 1, bytes_of(halves));
    return builder.build();
  }

  Finished sluice(std::vector<std::string> words) const {
    words.insert(words.begin(), SLUICE_PROGRAM);
    Finished done = run(words);
    said_ += done.out + done.errors;
    return done;
  }

  /// What a run on the disk makes of the model.
  std::string expected(const std::string& type = "Q4_0") const {
    const std::string out = folder_ / "local.gguf";
    EXPECT_EQ(sluice({"quantize", "--restart", folder_ / "model.gguf", out, type}).status, 0);
    return text_of(out);
  }

  /// Serves the files of the folder by their names; their ETags are of their contents' sizes.
  Handler files() const {
    return [this](const Asked& asked) {
      const std::string name = asked.target.substr(asked.target.rfind('/') + 1);
      const std::string path = folder_ / name.substr(0, name.find('?'));
      if (!fs::is_regular_file(path)) return Reply{.status = 404};
      const auto bytes = std::make_shared<const std::string>(text_of(path));
      return reply_with(asked, bytes, "\"" + std::to_string(bytes->size()) + "\"");
    };
  }

  std::string out() const { return folder_ / "out.gguf"; }

  mutable std::string said_;  // by all runs
};

TEST_F(RemoteCli, WhateverBreaksTheBytesAreTheSame) {
  const std::string wanted = expected();
  // Every third answer breaks, each in another way.
  std::atomic<int> count = 0;
  const Handler good = files();
  const auto server = serve([&](const Asked& asked) {
    Reply reply = good(asked);
    const int n = count++;
    if (n % 3 == 0) return reply;
    reply.ends_after = 10'000;
    switch (n % 7) {
      case 0:
        return Reply{.status = 500};
      case 1:
        return Reply{.status = 429, .fields = {{"Retry-After", "1"}}};
      case 2:
        reply.ending = Reply::Ending::reset;
        break;
      case 3:
        reply.ending = Reply::Ending::close;
        break;
      case 4:
        reply.ending = Reply::Ending::stall;
        break;
      case 5:
        reply.fields.erase("Content-Range");
        break;
      default:
        reply.delay_s = 0.1;
    }
    return reply;
  });
  set("HF_HUB_DOWNLOAD_TIMEOUT", "0.5");
  const std::string url = server->origin("localhost") + "/model.gguf";
  const Finished done = sluice({"quantize", url, out(), "Q4_0"});
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(text_of(out()), wanted);
  const Finished verified = sluice({"verify", out(), "--against", url});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.errors;
  const Finished compared = sluice({"compare", url, folder_ / "model.gguf"});
  EXPECT_EQ(compared.status, 0) << compared.out << compared.errors;
  EXPECT_EQ(sluice({"inspect", url}).status, 0);
  const Finished planned = sluice({"plan", url, out(), "Q4_0"});
  EXPECT_EQ(planned.status, 0) << planned.errors;
}

TEST_F(RemoteCli, PartsOfASplitModelAreFoundBesideOneAnother) {
  const std::string wanted = expected("Q8_0");
  ASSERT_EQ(sluice({"quantize", "--split-max-size", "1M", folder_ / "model.gguf",
                    folder_ / "parts.gguf", "F16"})
                .status,
            0);
  const auto server = serve(files());
  std::size_t parts = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(out()).parent_path())) {
    parts += entry.path().filename().string().starts_with("parts-") ? 1 : 0;
  }
  const std::string part =
      "/" + sluice::gguf::part_file("parts", 1, parts) + "?download=true&sig=secret1";
  const Finished done = sluice({"quantize", server->origin("localhost") + part, out(), "Q8_0"});
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(text_of(out()), wanted);
  for (const Asked& asked : server->asked()) {
    EXPECT_TRUE(asked.target.ends_with(".gguf?download=true&sig=secret1")) << asked.target;
  }
}

TEST_F(RemoteCli, AKilledRunGoesOnAcrossTheServersRestart) {
  write_file(folder_ / "model.gguf", model(12'000));
  const std::string wanted = expected();
  const Certificate certificate = authority_.certificate("localhost");
  auto server = std::make_unique<WebServer>(files(), certificate, 0, Line{.bytes_per_s = 4e6});
  const std::uint16_t port = server->port();
  const std::string url = server->origin("localhost") + "/model.gguf";
  const std::vector<std::string> command = {
      SLUICE_PROGRAM, "quantize", "--checkpoint", "0.1", "--memory", "64M", "--threads", "2", url,
      out(),          "Q4_0"};
  EXPECT_EQ(kill_once_begun(command, out()).status, 128 + SIGKILL);
  ASSERT_TRUE(fs::exists(out() + ".part.journal"));
  const std::string journal = text_of(out() + ".part.journal");
  EXPECT_NE(journal.find("etag"), std::string::npos);
  server.reset();
  server = std::make_unique<WebServer>(files(), certificate, port);
  const Finished done = run(command);
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_NE(done.errors.find("resuming"), std::string::npos) << done.errors;
  EXPECT_EQ(text_of(out()), wanted);
}

TEST_F(RemoteCli, AFileThatChangedIsNotGoneOnWith) {
  write_file(folder_ / "model.gguf", model(12'000));
  auto server = serve(files(), "localhost", {.bytes_per_s = 4e6});
  const auto command = [&] {
    return std::vector<std::string>{
        SLUICE_PROGRAM, "quantize", "--checkpoint",
        "0.1",          "--memory", "64M",
        "--threads",    "2",        server->origin("localhost") + "/model.gguf",
        out(),          "Q4_0"};
  };
  EXPECT_EQ(kill_once_begun(command(), out()).status, 128 + SIGKILL);
  const Handler good = files();
  server = serve([&](const Asked& asked) {
    Reply reply = good(asked);
    reply.fields["ETag"] = "\"other\"";
    return reply;
  });
  const Finished refused = run(command());
  EXPECT_EQ(refused.status, 4) << refused.errors;
  EXPECT_NE(refused.errors.find("the ETag \"other\""), std::string::npos) << refused.errors;
  EXPECT_NE(refused.errors.find("/model.gguf"), std::string::npos) << refused.errors;
}

TEST_F(RemoteCli, AFileThatChangesWhileItIsReadIsAnError) {
  std::atomic<int> count = 0;
  const Handler good = files();
  const auto server = serve([&](const Asked& asked) {
    Reply reply = good(asked);
    if (count++ > 2) reply.fields["ETag"] = "\"other\"";
    return reply;
  });
  const Finished done =
      sluice({"quantize", server->origin("localhost") + "/model.gguf", out(), "Q4_0"});
  EXPECT_EQ(done.status, 3);
  EXPECT_NE(done.errors.find("was replaced on its server while it was read"), std::string::npos)
      << done.errors;
  EXPECT_FALSE(fs::exists(out()));
}

TEST_F(RemoteCli, CtrlCEndsItWithinSecondsThoughTheServerIsSilent) {
  std::atomic<int> count = 0;
  const Handler good = files();
  const auto server = serve([&](const Asked& asked) {
    Reply reply = good(asked);
    if (count++ > 1) reply.ending = Reply::Ending::stall;
    return reply;
  });
  set("HF_HUB_DOWNLOAD_TIMEOUT", "600");
  const auto begun = std::chrono::steady_clock::now();
  const Finished done =
      run({"timeout", "--preserve-status", "-s", "INT", "-k", "60", "1", SLUICE_PROGRAM, "quantize",
           server->origin("localhost") + "/model.gguf", out(), "Q4_0"});
  EXPECT_EQ(done.status, 130) << done.errors;
  EXPECT_LT(std::chrono::steady_clock::now() - begun,
            std::chrono::seconds(10));  // 2 where nothing else runs
}

// A hub that needs a token, with a CDN whose links are good for a few requests each.
TEST_F(RemoteCli, TheTokenAndTheLinksStayWhereTheyBelong) {
  const std::string wanted = expected();
  const Handler good = files();
  std::atomic<int> uses = 0;
  std::atomic<int> link = 0;
  const auto cdn = serve(
      [&](const Asked& asked) {
        // As many uses as connections read at once: none is left without time and again.
        if (!asked.target.ends_with("sig=secret2-" + std::to_string(link)) || ++uses > 4) {
          return Reply{.status = 403};
        }
        return good(asked);
      },
      "127.0.0.1");
  const auto hub = serve([&](const Asked& asked) {
    if (asked.field("authorization") != "Bearer hf_secret3") return Reply{.status = 401};
    if (asked.target.starts_with("/api/")) {
      return Reply{.body = R"({"sha": "0123456789abcdef0123456789abcdef01234567",
                              "siblings": [{"rfilename": "model.gguf"}]})"};
    }
    uses = 0;
    return Reply{.status = 302,
                 .fields = {{"Location", cdn->origin("127.0.0.1") + "/model.gguf?sig=secret2-" +
                                             std::to_string(++link)},
                            {"X-Linked-ETag", "\"hub\""}}};
  });
  set("HF_ENDPOINT", hub->origin("localhost"));
  set("HF_TOKEN", "hf_secret3");
  const Finished done =
      sluice({"quantize", "--report", folder_ / "report.json", "--log-file", folder_ / "log",
              "--trace", folder_ / "trace", "hf://org/name/model.gguf", out(), "Q4_0"});
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(text_of(out()), wanted);
  EXPECT_GT(link, 1);
  for (const Asked& asked : cdn->asked()) EXPECT_EQ(asked.field("authorization"), "");

  set("HF_TOKEN", "hf_secret4");
  const Finished refused = sluice({"quantize", "hf://org/name/model.gguf", out(), "Q4_0"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.errors.find("Accept the model's terms"), std::string::npos) << refused.errors;
  for (const auto& entry : fs::directory_iterator(fs::path(out()).parent_path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(text_of(entry.path()).find("secret"), std::string::npos) << entry;
  }
  EXPECT_EQ(said_.find("secret"), std::string::npos) << said_;
}

TEST_F(RemoteCli, WhatAUrlHidesIsNowhereShown) {
  const auto server = serve(files());
  const std::string place = "localhost:" + std::to_string(server->port());
  const std::string url = "https://me:secret5@" + place + "/model.gguf?sig=secret6";
  const Finished done = sluice({"quantize", "--report", folder_ / "report.json", "--log-file",
                                folder_ / "log", url, out(), "Q4_0"});
  ASSERT_EQ(done.status, 0) << done.errors;
  EXPECT_EQ(server->asked()[0].field("authorization"), "Basic bWU6c2VjcmV0NQ==");
  sluice({"plan", "--json", url, out(), "Q4_0"});
  sluice({"inspect", "--json", url});
  sluice({"verify", "--json", out(), "--against", url});
  sluice({"quantize", "https://me:secret5@" + place + "/none.gguf?sig=secret6", out(), "Q4_0"});
  sluice({"quantize", url, url, "Q4_0"});
  sluice({"quantize", url});
  for (const auto& entry : fs::directory_iterator(fs::path(out()).parent_path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(text_of(entry.path()).find("secret"), std::string::npos) << entry;
  }
  EXPECT_EQ(said_.find("secret"), std::string::npos) << said_;
}

}  // namespace
