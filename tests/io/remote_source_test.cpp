// Sources over remote files, and over some that are and some that are not.

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>

#include "base/page_buffer.h"
#include "io/source.h"
#include "sluice/error.h"
#include "support/web_world.h"

namespace sluice::io {
namespace {

using namespace testing_support;

constexpr std::size_t kSourceSize = std::size_t{20} << 20;

class RemoteSourceTest : public WebWorld {
 protected:
  File remote(const WebServer& server) const {
    return File::open_input(server.origin("localhost") + "/file");
  }

  /// What a source gives for a range, or its error.
  static std::string read(Source& source, const ReadRange& range) {
    const PageBuffer buffer(range.size + 2 * Source::kBufferSlack);
    std::promise<std::span<const std::byte>> result;
    source.read(range, buffer.bytes(),
                [&](std::span<const std::byte> bytes, const std::exception_ptr& error) {
                  error ? result.set_exception(error) : result.set_value(bytes);
                });
    const std::span<const std::byte> bytes = result.get_future().get();
    source.fill(range, bytes);
    std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    source.check(range);
    source.release(range);
    return text;
  }

  const std::shared_ptr<const std::string> bytes_ = noise(kSourceSize);
};

TEST_F(RemoteSourceTest, LargeRangesComeOverSeveralConnections) {
  const auto server =
      serve([&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); }, "localhost",
            {.latency_s = 0.02});
  const File file = remote(*server);
  const OpenedSource opened = open_source(IoMode::automatic, {&file});
  EXPECT_EQ(opened.source->name(), "https");
  EXPECT_TRUE(read(*opened.source, {0, 1000, kSourceSize - 1000}) == bytes_->substr(1000));
  EXPECT_EQ(read(*opened.source, {0, 5, 0}), "");
  EXPECT_GT(server->connections(), 3u);
}

TEST_F(RemoteSourceTest, LocalFilesBesideRemoteOnes) {
  const auto server =
      serve([&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); });
  const std::string other = bytes_->substr(77, 100'000);
  write_file(folder_ / "local", std::as_bytes(std::span(other)));
  const File file = remote(*server);
  const File local = File::open_input(folder_ / "local");
  for (const IoMode mode : {IoMode::async, IoMode::mmap, IoMode::plain}) {
    const OpenedSource opened = open_source(mode, {&file, &local, &file});
    EXPECT_TRUE(opened.source->name().ends_with(", https")) << opened.source->name();
    EXPECT_TRUE(read(*opened.source, {0, 9, 5000}) == bytes_->substr(9, 5000));
    EXPECT_TRUE(read(*opened.source, {1, 9, 5000}) == other.substr(9, 5000));
    EXPECT_TRUE(read(*opened.source, {2, kSourceSize - 9, 9}) == bytes_->substr(kSourceSize - 9));
  }
}

TEST_F(RemoteSourceTest, ErrorsAndEndsAreGivenToWhoReads) {
  std::atomic<bool> good = true;
  const auto server = serve([&](const Asked& asked) {
    return good ? reply_with(asked, bytes_, "\"one\"") : Reply{.status = 404};
  });
  const File file = remote(*server);
  const OpenedSource opened = open_source(IoMode::automatic, {&file});
  EXPECT_THROW(read(*opened.source, {0, kSourceSize - 5, 6}), Error);
  good = false;
  EXPECT_THROW(read(*opened.source, {0, kSourceSize / 2, 6}), Error);
}

TEST_F(RemoteSourceTest, SamplesWithoutATrace) {
  const auto server =
      serve([&](const Asked& asked) { return reply_with(asked, bytes_, "\"one\""); });
  const File file = remote(*server);
  const std::unique_ptr<Source> source = open_uncached_source({&file});
  EXPECT_TRUE(read(*source, {0, 12345, 5000}) == bytes_->substr(12345, 5000));
}

}  // namespace
}  // namespace sluice::io
