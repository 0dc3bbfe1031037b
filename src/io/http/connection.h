#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "io/http/url.h"

namespace sluice::io {

/// How long the network may keep a request waiting, and who may end the wait: `stop` is looked at
/// ten times a second; it may be null.
struct Wait {
  double stall_s = 10;
  const std::atomic<bool>* stop = nullptr;
};

/// One connection to a server, perhaps through a proxy, for one request after the other. Each call
/// waits; a connection that threw is of no more use.
/// \throws Transient for what may go better on a new connection; Error for what will not; Error
///         (interrupted)
class Connection {
 public:
  using Request = boost::beast::http::request<boost::beast::http::empty_body>;
  using Head = boost::beast::http::response_header<>;

  /// Connects; over TLS with the server's certificate checked against its name.
  Connection(const Url& server, const std::optional<Url>& proxy,
             boost::asio::ssl::context& certificates, const Wait& wait);

  /// Sends a request and waits for the head of the answer.
  const Head& ask(const Request& request, const Wait& wait);

  /// Bytes of the body that the head announces; none: it is sent in pieces, or there is none.
  std::optional<std::uint64_t> body_size() const;

  /// Up to `out.size()` bytes of the body; 0: it was read to its end.
  std::size_t read(std::span<std::byte> out, const Wait& wait);

  /// Whether another request may follow, the body being read to its end.
  bool reusable() const;

 private:
  using Code = boost::system::error_code;
  using Done = std::function<void(Code, std::size_t)>;

  Code await(const std::function<void(Done)>& start, const Wait& wait);
  void require(Code error, const char* what) const;
  void reach(const Url& next, const Wait& wait);
  void open_tunnel(const Url& server, const Url& proxy, const Wait& wait);
  void shake_hands(const Url& server, const Wait& wait);
  template <typename Start>
  auto over(Start start);

  boost::asio::io_context context_{1};
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  const bool tls_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::response_parser<boost::beast::http::buffer_body>> parser_;
};

}  // namespace sluice::io
