#pragma once

// A server on loopback that does as a test says: also wrongly.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/certificates.h"

namespace sluice::testing_support {

/// A request as it came.
struct Asked {
  std::string method;
  std::string target;
  std::map<std::string, std::string> fields;  ///< names in lower case

  std::string field(const std::string& name) const;
  /// First and last byte of the range that is asked for.
  std::optional<std::pair<std::uint64_t, std::uint64_t>> range() const;
};

/// What is answered, and how it is gone about.
struct Reply {
  unsigned status = 200;
  std::map<std::string, std::string> fields = {};
  std::string body = {};
  /// For bodies too large to be copied: takes the place of `body`.
  std::shared_ptr<const std::string> file = nullptr;
  std::size_t first = 0;  ///< of `file`
  std::size_t size = 0;

  enum class Ending { whole, close, reset, stall };
  Ending ending = Ending::whole;
  std::size_t ends_after = 0;  ///< bytes of the body, unless it ends whole
  double delay_s = 0;          ///< before the head
};

using Handler = std::function<Reply(const Asked&)>;

/// How slow a line is that all of a server's connections share.
struct Line {
  double bytes_per_s = 0;  ///< 0: no limit
  double latency_s = 0;    ///< of a round trip
};

/// Serves until its end, each connection on a thread of its own.
class WebServer {
 public:
  /// \param certificate  none: without TLS
  /// \param port         0: any that is free
  WebServer(Handler handler, std::optional<Certificate> certificate, std::uint16_t port = 0,
            Line line = {});
  ~WebServer();

  std::uint16_t port() const;
  /// "https://NAME:PORT"
  std::string origin(const std::string& name) const;
  /// All requests so far.
  std::vector<Asked> asked() const;
  std::size_t connections() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Answers requests for ranges of `bytes` as a good server does.
Reply reply_with(const Asked& asked, std::shared_ptr<const std::string> bytes,
                 const std::string& etag);

/// A proxy that connects to where it is asked to (CONNECT), and notes what it was asked.
class Proxy {
 public:
  Proxy();
  ~Proxy();

  std::uint16_t port() const;
  std::vector<Asked> asked() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sluice::testing_support
