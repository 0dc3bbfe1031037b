#include "io/http/remote_file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "io/file.h"
#include "io/http/network.h"
#include "sluice/error.h"
#include "support/web_world.h"

namespace sluice::io {
namespace {

using namespace testing_support;

constexpr std::size_t kRemoteSize = std::size_t{3} << 20;

class RemoteFileTest : public WebWorld {
 protected:
  std::shared_ptr<Network> network(double stall_s = 5) const {
    Environment environment = read_environment();
    environment.stall_s = stall_s;
    return std::make_shared<Network>(environment, Patience{.attempts = 4, .first_pause_s = 0.01});
  }

  RemoteFile open(const WebServer& server, double stall_s = 5,
                  const std::atomic<bool>* stop = nullptr) const {
    return {"the file", parse_url(server.origin("localhost") + "/file"), network(stall_s), stop};
  }

  static std::string read(const RemoteFile& file, std::uint64_t offset, std::size_t size) {
    std::string text(size, '\0');
    text.resize(file.read_at(offset, std::as_writable_bytes(std::span(text))));
    return text;
  }

  /// Reads the file from beyond what its opening brought.
  void expect_equal(const RemoteFile& file) const {
    constexpr std::size_t kFirst = std::size_t{1} << 20;
    EXPECT_EQ(file.size(), bytes_->size());
    EXPECT_TRUE(read(file, kFirst, kRemoteSize) == bytes_->substr(kFirst));
    EXPECT_TRUE(read(file, 0, 100) == bytes_->substr(0, 100));
    EXPECT_EQ(read(file, kRemoteSize, 1), "");
  }

  /// Does to the n-th request, from 0, what `spoil` does with a good reply.
  Handler spoiling(int n, std::function<void(Reply&)> spoil) {
    return [this, n, spoil](const Asked& asked) {
      Reply reply = reply_with(asked, bytes_, "\"one\"");
      if (count_++ == n) spoil(reply);
      return reply;
    };
  }

  template <typename Act>
  static Error error_of(Act act) {
    try {
      act();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return {ErrorCode::usage, ""};
  }

  const std::shared_ptr<const std::string> bytes_ = noise(kRemoteSize);
  std::atomic<int> count_ = 0;
};

TEST_F(RemoteFileTest, RangesOfAFile) {
  const auto server =
      serve([&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); });
  const RemoteFile file = open(*server);
  expect_equal(file);
  EXPECT_EQ(file.etag(), "\"one\"");
  EXPECT_EQ(server->connections(), 1u);  // kept for all requests
  EXPECT_EQ(server->asked().front().field("accept-encoding"), "identity");
}

TEST_F(RemoteFileTest, AnEmptyFile) {
  const auto empty = std::make_shared<const std::string>();
  const auto server = serve([&](const Asked& asked) { return reply_with(asked, empty, "\"0\""); });
  EXPECT_EQ(open(*server).size(), 0u);
}

TEST_F(RemoteFileTest, WhatGoesBetterTheNextTime) {
  const std::map<std::string, std::function<void(Reply&)>> faults = {
      {"500", [](Reply& reply) { reply = {.status = 500}; }},
      {"429",
       [](Reply& reply) {
         reply = {.status = 429, .fields = {{"Retry-After", "0"}}};
       }},
      {"503", [](Reply& reply) { reply = {.status = 503}; }},
      {"a reset",
       [](Reply& reply) {
         reply.ending = Reply::Ending::reset;
         reply.ends_after = 70000;
       }},
      {"a short body",
       [](Reply& reply) {
         reply.ending = Reply::Ending::close;
         reply.ends_after = 70000;
       }},
      {"no byte of the body", [](Reply& reply) { reply.ending = Reply::Ending::close; }},
      {"another range",
       [](Reply& reply) {
         reply.fields["Content-Range"] = "bytes 5-9/" + std::to_string(kRemoteSize);
       }},
      {"no range", [](Reply& reply) { reply.fields.erase("Content-Range"); }},
  };
  for (const int n : {0, 1}) {  // when it is opened, and when it is read
    for (const auto& [name, fault] : faults) {
      SCOPED_TRACE(name);
      count_ = 0;
      const auto server = serve(spoiling(n, fault));
      expect_equal(open(*server));
      EXPECT_GE(server->asked().size(), 3u);
    }
  }
}

TEST_F(RemoteFileTest, GoesOnAtTheByteThatItHadCome) {
  const auto server = serve(spoiling(1, [](Reply& reply) {
    reply.ending = Reply::Ending::close;
    reply.ends_after = 100000;
  }));
  expect_equal(open(*server));
  EXPECT_EQ(server->asked().at(2).range()->first, (std::size_t{1} << 20) + 100000);
}

TEST_F(RemoteFileTest, AStalledServerIsAskedAnew) {
  const auto server = serve(spoiling(1, [](Reply& reply) {
    reply.ending = Reply::Ending::stall;
    reply.ends_after = 65536;
  }));
  expect_equal(open(*server, 0.3));
}

TEST_F(RemoteFileTest, WaitsAsLongAsTheServerWishes) {
  const auto server = serve(spoiling(0, [](Reply& reply) {
    reply = {.status = 429, .fields = {{"Retry-After", "1"}}};
  }));
  const auto begun = std::chrono::steady_clock::now();
  open(*server);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
}

TEST_F(RemoteFileTest, PatienceEnds) {
  const auto server = serve([](const Asked&) { return Reply{.status = 503}; });
  const Error error = error_of([&] { open(*server); });
  EXPECT_EQ(error.code(), ErrorCode::input_read);
  EXPECT_EQ(error.context().file, "the file");
  EXPECT_NE(std::string(error.what()).find("answers 503 (4 failures in a row)"), std::string::npos)
      << error.what();
  EXPECT_EQ(server->asked().size(), 4u);
}

TEST_F(RemoteFileTest, StopIsSeenWhileTheNetworkIsSilent) {
  const auto server = serve(spoiling(1, [](Reply& reply) {
    reply.ending = Reply::Ending::stall;
    reply.ends_after = 65536;
  }));
  std::atomic<bool> stop = false;
  const RemoteFile file = open(*server, 60, &stop);
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop = true;
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(error_of([&] { read(file, std::size_t{1} << 20, kRemoteSize); }).code(),
            ErrorCode::interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
  stopper.join();
}

TEST_F(RemoteFileTest, AFileThatBecameAnotherIsRefused) {
  const auto other_etag = [](Reply& reply) { reply.fields["ETag"] = "\"two\""; };
  const auto other_size = [](Reply& reply) {
    const std::string range = reply.fields["Content-Range"];
    reply.fields["Content-Range"] =
        range.substr(0, range.find('/')) + "/" + std::to_string(kRemoteSize + 1);
  };
  for (const std::function<void(Reply&)>& change :
       {std::function<void(Reply&)>(other_etag), std::function<void(Reply&)>(other_size)}) {
    count_ = 0;
    const auto server = serve(spoiling(1, change));
    const RemoteFile file = open(*server);
    const Error error = error_of([&] { read(file, std::size_t{1} << 20, 100); });
    EXPECT_EQ(error.code(), ErrorCode::input_changed) << error.what();
    EXPECT_EQ(error.context().file, "the file");
  }
}

TEST_F(RemoteFileTest, ServersWithoutRangesMaySendSmallFiles) {
  const auto small = std::make_shared<const std::string>(bytes_->substr(0, 100'000));
  const auto server = serve([&](const Asked&) {
    return Reply{.fields = {{"ETag", "\"s\""}}, .file = small, .size = small->size()};
  });
  const RemoteFile file = open(*server);
  EXPECT_TRUE(read(file, 70'000, 200'000) == small->substr(70'000));
  EXPECT_EQ(server->asked().size(), 1u);
  file.forget_start();
  EXPECT_TRUE(read(file, 0, 10) == small->substr(0, 10));

  const auto large = noise(std::size_t{17} << 20);
  const auto refusing =
      serve([&](const Asked&) { return Reply{.file = large, .size = large->size()}; });
  const Error error = error_of([&] { open(*refusing); });
  EXPECT_EQ(error.code(), ErrorCode::input_open);
  EXPECT_NE(std::string(error.what()).find("without ranges"), std::string::npos) << error.what();
}

TEST_F(RemoteFileTest, EncodedBodiesAreRefused) {
  const auto server =
      serve(spoiling(0, [](Reply& reply) { reply.fields["Content-Encoding"] = "gzip"; }));
  EXPECT_EQ(error_of([&] { open(*server); }).code(), ErrorCode::input_open);
}

TEST_F(RemoteFileTest, LinksThatExpireAreMadeAnew) {
  // Each link is good for three requests.
  std::atomic<int> link = 0;
  std::atomic<int> uses = 0;
  const auto cdn = serve(
      [&](const Asked& asked) {
        if (asked.target != "/blob?sig=" + std::to_string(link) || ++uses > 3)
          return Reply{.status = 403};
        return reply_with(asked, bytes_, "\"cdn\"");
      },
      "127.0.0.1");
  const auto hub = serve([&](const Asked&) {
    uses = 0;
    return Reply{
        .status = 302,
        .fields = {{"Location", cdn->origin("127.0.0.1") + "/blob?sig=" + std::to_string(++link)},
                   {"X-Linked-ETag", "\"hub\""}}};
  });
  const RemoteFile file = open(*hub);
  EXPECT_EQ(file.etag(), "\"hub\"");
  for (std::size_t at = std::size_t{1} << 20; at < kRemoteSize; at += 100'000) {
    EXPECT_TRUE(read(file, at, 100'000) == bytes_->substr(at, 100'000)) << at;
  }
  EXPECT_GE(link, 5);
  EXPECT_LE(hub->asked().size(), 10u);  // and not for each range
}

TEST_F(RemoteFileTest, ALinkThatIsNeverGoodIsAnError) {
  const auto cdn = serve([](const Asked&) { return Reply{.status = 403}; }, "127.0.0.1");
  const auto hub = serve([&](const Asked&) {
    return Reply{.status = 302,
                 .fields = {{"Location", cdn->origin("127.0.0.1") + "/x?sig=secret"}}};
  });
  const Error error = error_of([&] { open(*hub); });
  EXPECT_NE(std::string(error.what()).find("redirects, answers 403"), std::string::npos)
      << error.what();
  EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
}

TEST_F(RemoteFileTest, RedirectsWithoutEndOrTlsAreErrors) {
  const auto loop = serve([](const Asked&) {
    return Reply{.status = 302, .fields = {{"Location", "/x"}}};
  });
  EXPECT_EQ(error_of([&] { open(*loop); }).code(), ErrorCode::input_read);
  const auto open_server = serve([](const Asked&) {
    return Reply{.status = 302, .fields = {{"Location", "http://127.0.0.1:9/x"}}};
  });
  const Error error = error_of([&] { open(*open_server); });
  EXPECT_NE(std::string(error.what()).find("without TLS"), std::string::npos) << error.what();
}

TEST_F(RemoteFileTest, CertificatesAreChecked) {
  const Handler good = [&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); };
  const Authority stranger;
  struct Case {
    const char* why;
    Certificate certificate;
  };
  for (const Case& bad : {Case{"expired", authority_.certificate("localhost", -1)},
                          Case{"hostname mismatch", authority_.certificate("example.org")},
                          Case{"local issuer", stranger.certificate("localhost")}}) {
    const WebServer server(good, bad.certificate);
    const Error error = error_of([&] { open(server); });
    EXPECT_EQ(error.code(), ErrorCode::input_open);
    EXPECT_NE(std::string(error.what()).find(bad.why), std::string::npos) << error.what();
    EXPECT_TRUE(server.asked().empty());
  }
  const auto by_address = serve(good, "127.0.0.1");
  EXPECT_EQ(
      RemoteFile("f", parse_url(by_address->origin("127.0.0.1") + "/f"), network(), nullptr).size(),
      kRemoteSize);
}

TEST_F(RemoteFileTest, ThroughAProxy) {
  const auto server =
      serve([&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); });
  const Proxy proxy;
  set("https_proxy", "http://name:word@127.0.0.1:" + std::to_string(proxy.port()));
  expect_equal(open(*server));
  ASSERT_EQ(proxy.asked().size(), 1u);
  EXPECT_EQ(proxy.asked()[0].method, "CONNECT");
  EXPECT_EQ(proxy.asked()[0].target, "localhost:" + std::to_string(server->port()));
  EXPECT_EQ(proxy.asked()[0].field("proxy-authorization"), "Basic bmFtZTp3b3Jk");
  EXPECT_EQ(server->asked()[0].field("proxy-authorization"), "");
  set("no_proxy", "localhost");
  expect_equal(open(*server));
  EXPECT_EQ(proxy.asked().size(), 1u);
}

TEST_F(RemoteFileTest, WithoutTlsWhereTheUserSaysSo) {
  const WebServer server([&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); },
                         std::nullopt);
  set("HF_TOKEN", "hf_secret");
  set("HF_ENDPOINT", server.origin("localhost"));
  expect_equal(open(server));
  EXPECT_EQ(server.asked()[0].field("authorization"), "");  // nobody on the way shall read it
}

TEST_F(RemoteFileTest, TheTokenIsForTheHubAlone) {
  const Handler good = [&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); };
  const auto cdn = serve(good, "127.0.0.1");
  const auto hub = serve([&](const Asked& asked) {
    const bool moved = asked.target == "/file";  // first to another path of its own
    return Reply{.status = 302,
                 .fields = {{"Location", moved ? "/moved" : cdn->origin("127.0.0.1") + "/blob"}}};
  });
  set("HF_TOKEN", "hf_secret");
  set("HF_ENDPOINT", hub->origin("localhost"));
  expect_equal(open(*hub));
  for (const Asked& asked : hub->asked())
    EXPECT_EQ(asked.field("authorization"), "Bearer hf_secret");
  ASSERT_FALSE(cdn->asked().empty());
  for (const Asked& asked : cdn->asked()) EXPECT_EQ(asked.field("authorization"), "");
}

TEST_F(RemoteFileTest, AUrlsUserIsForItsServerAlone) {
  const auto cdn =
      serve([&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); }, "127.0.0.1");
  const auto server = serve([&](const Asked&) {
    return Reply{.status = 302, .fields = {{"Location", cdn->origin("127.0.0.1") + "/blob"}}};
  });
  const File file = File::open_input(
      "https://name:word@localhost:" + std::to_string(server->port()) + "/f?sig=abc");
  EXPECT_EQ(file.path(), "https://***@localhost:" + std::to_string(server->port()) + "/f?sig=***");
  EXPECT_EQ(server->asked()[0].field("authorization"), "Basic bmFtZTp3b3Jk");
  EXPECT_EQ(server->asked()[0].target, "/f?sig=abc");
  EXPECT_EQ(cdn->asked()[0].field("authorization"), "");
}

TEST_F(RemoteFileTest, WhatIsRefusedIsSaidWithACure) {
  for (const auto& [status, word] : std::map<unsigned, std::string>{
           {401, "expired"}, {403, "expired"}, {404, "Check the URL"}}) {
    const auto server = serve([code = status](const Asked&) { return Reply{.status = code}; });
    const Error error = error_of([this, &server] { open(*server); });
    EXPECT_EQ(error.code(), ErrorCode::input_open);
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    EXPECT_EQ(server->asked().size(), 1u);  // it would not go better the next time
  }
}

TEST_F(RemoteFileTest, AHostThatIsNotThereIsAnError) {
  const auto network = this->network();
  EXPECT_EQ(error_of([&] {
              RemoteFile("f", parse_url("https://nowhere.invalid/f"), network, nullptr);
            }).code(),
            ErrorCode::input_open);
}

}  // namespace
}  // namespace sluice::io
