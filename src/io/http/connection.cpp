#include "io/http/connection.h"

#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <cstring>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/stop.h"
#include "io/http/authorization.h"
#include "io/http/retries.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

constexpr std::chrono::milliseconds kLook{100};  // at `stop`
constexpr std::size_t kBuffer = std::size_t{64} << 10;
constexpr std::uint32_t kMostHeader = 64 << 10;

struct Addresses {
  int error = 0;
  std::vector<tcp::endpoint> endpoints;
};

Addresses look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  Addresses found;
  found.error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (found.error != 0) return found;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    tcp::endpoint endpoint;
    endpoint.resize(entry->ai_addrlen);
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.port(port);
    found.endpoints.push_back(endpoint);
  }
  return found;
}

// The system's resolver cannot be told to stop: a thread that is left alone waits for it.
std::vector<tcp::endpoint> addresses_of(const Url& server, const Wait& wait) {
  auto promise = std::make_shared<std::promise<Addresses>>();
  std::future<Addresses> future = promise->get_future();
  std::thread([promise, host = server.host, port = server.port] {
    promise->set_value(look_up(host, port));
  }).detach();
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(wait.stall_s);
  while (future.wait_for(kLook) != std::future_status::ready) {
    throw_if_stopped(wait.stop);
    if (std::chrono::steady_clock::now() >= end) {
      throw Transient(fmt::format("the address of {} is not found in time", server.host));
    }
  }
  const Addresses found = future.get();
  if (found.error == 0) return found.endpoints;
  const std::string reason =
      fmt::format("the address of {} is not found ({})", server.host, ::gai_strerror(found.error));
  if (found.error == EAI_AGAIN) throw Transient(reason);
  throw Error(ErrorCode::input_open, reason,
              {.cure = "Check the host's name and the connection to the network"});
}

// What the server showed is not what the name stands for, now or later.
[[noreturn]] void fail_certificate(const Url& server, long verdict) {
  throw Error(
      ErrorCode::input_open,
      fmt::format("the certificate of {} is refused: {}", server.authority(),
                  X509_verify_cert_error_string(verdict)),
      {.cure = "Check the clock and the system's certificates (package ca-certificates), or "
               "name those of your network with SSL_CERT_FILE"});
}

}  // namespace

Connection::Connection(const Url& server, const std::optional<Url>& proxy,
                       asio::ssl::context& certificates, const Wait& wait)
    : stream_(context_, certificates), tls_(server.tls) {
  buffer_.reserve(kBuffer);
  reach(proxy ? *proxy : server, wait);
  if (!tls_) return;
  if (proxy) open_tunnel(server, *proxy, wait);
  shake_hands(server, wait);
}

// Runs one operation to its end. Where it takes too long the socket is closed, which ends it.
Connection::Code Connection::await(const std::function<void(Done)>& start, const Wait& wait) {
  std::optional<Code> result;
  context_.restart();
  start([&](Code error, std::size_t) { result = error; });
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(wait.stall_s);
  const auto over = [&] {
    return std::chrono::steady_clock::now() >= end || (wait.stop != nullptr && *wait.stop);
  };
  while (!result && !over()) context_.run_one_for(kLook);
  if (result) return *result;
  Code ignored;
  stream_.next_layer().close(ignored);
  context_.run();
  throw_if_stopped(wait.stop);
  throw Transient(fmt::format("no byte came for {:.0f} s", wait.stall_s));
}

void Connection::require(Code error, const char* what) const {
  if (error) throw Transient(fmt::format("{} ({})", what, error.message()));
}

template <typename Start>
auto Connection::over(Start start) {
  return [this, start](Done done) {
    if (tls_) {
      start(stream_, std::move(done));
    } else {
      start(stream_.next_layer(), std::move(done));
    }
  };
}

void Connection::reach(const Url& next, const Wait& wait) {
  tcp::socket& socket = stream_.next_layer();
  std::string reason = "it has no address";
  for (const tcp::endpoint& address : addresses_of(next, wait)) {
    try {
      const Code error = await(
          [&](const Done& done) {
            socket.async_connect(address, [done](Code failed) { done(failed, 0); });
          },
          wait);
      if (!error) return static_cast<void>(socket.set_option(tcp::no_delay(true)));
      reason = error.message();
    } catch (const Transient& failure) {
      reason = failure.what();
    }
    Code ignored;
    socket.close(ignored);
  }
  throw Unreachable(fmt::format("{} cannot be reached ({})", next.authority(), reason));
}

void Connection::open_tunnel(const Url& server, const Url& proxy, const Wait& wait) {
  const std::string host =
      server.host.find(':') == std::string::npos ? server.host : fmt::format("[{}]", server.host);
  const std::string target = fmt::format("{}:{}", host, server.port);
  Request request(http::verb::connect, target, 11);
  request.set(http::field::host, target);
  if (!proxy.user.empty())
    request.set(http::field::proxy_authorization, basic_authorization(proxy.user));
  tcp::socket& socket = stream_.next_layer();
  require(await([&](Done done) { http::async_write(socket, request, done); }, wait),
          "the proxy hung up");
  http::response_parser<http::empty_body> parser;
  parser.skip(true);  // what follows the head is the server's
  require(await([&](Done done) { http::async_read_header(socket, buffer_, parser, done); }, wait),
          "the proxy hung up");
  const unsigned status = parser.get().result_int();
  if (status / 100 == 2) return;
  const std::string what = fmt::format("the proxy {} answers {}", proxy.authority(), status);
  if (status / 100 == 5) throw Transient(what);
  throw Error(ErrorCode::input_open, what,
              {.cure = status == 407 ? "Put name and password into https_proxy: "
                                       "http://NAME:PASSWORD@HOST:PORT"
                                     : "Check https_proxy and no_proxy"});
}

void Connection::shake_hands(const Url& server, const Wait& wait) {
  SSL* const tls = stream_.native_handle();
  Code not_an_address;
  const bool address = (asio::ip::make_address(server.host, not_an_address), !not_an_address);
  if (address) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), server.host.c_str());
  } else {
    SSL_set1_host(tls, server.host.c_str());
    SSL_set_tlsext_host_name(tls, server.host.c_str());
  }
  const Code error = await(
      [&](const Done& done) {
        stream_.async_handshake(asio::ssl::stream_base::client,
                                [done](Code failed) { done(failed, 0); });
      },
      wait);
  if (!error) return;
  const long verdict = SSL_get_verify_result(tls);
  if (verdict != X509_V_OK) fail_certificate(server, verdict);
  throw Transient(
      fmt::format("{} does not speak TLS with us ({})", server.authority(), error.message()));
}

const Connection::Head& Connection::ask(const Request& request, const Wait& wait) {
  require(
      await(over([&](auto& stream, Done done) { http::async_write(stream, request, done); }), wait),
      "the server hung up");
  parser_.emplace();
  parser_->header_limit(kMostHeader);
  parser_->body_limit(boost::none);
  require(await(over([&](auto& stream, Done done) {
                  http::async_read_header(stream, buffer_, *parser_, done);
                }),
                wait),
          "no whole answer came");
  return parser_->get().base();
}

std::optional<std::uint64_t> Connection::body_size() const {
  const auto size = parser_->content_length();
  return size ? std::optional<std::uint64_t>(*size) : std::nullopt;
}

std::size_t Connection::read(std::span<std::byte> out, const Wait& wait) {
  while (!parser_->is_done()) {
    auto& body = parser_->get().body();
    body.data = out.data();
    body.size = out.size();
    body.more = true;
    const Code error = await(over([&](auto& stream, Done done) {
                               http::async_read_some(stream, buffer_, *parser_, done);
                             }),
                             wait);
    const std::size_t got = out.size() - body.size;
    if (error && error != http::error::need_buffer) require(error, "the body was cut short");
    if (got > 0) return got;
  }
  return 0;
}

bool Connection::reusable() const {
  return parser_ && parser_->is_done() && parser_->keep_alive();
}

}  // namespace sluice::io
