#include "support/web_server.h"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <chrono>
#include <cstdio>
#include <list>
#include <mutex>
#include <set>
#include <thread>

namespace sluice::testing_support {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Code = boost::system::error_code;

void sleep_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// Sockets that are open, so that the end of a server can end all waiting.
class OpenSockets {
 public:
  void add(tcp::socket* socket) {
    const std::lock_guard lock(mutex_);
    sockets_.insert(socket);
    if (ended_) shut(*socket);
  }
  void remove(tcp::socket* socket) {
    const std::lock_guard lock(mutex_);
    sockets_.erase(socket);
  }
  /// Closes one, which the server's end, in another thread, then leaves alone.
  void close(tcp::socket& socket) {
    const std::lock_guard lock(mutex_);
    sockets_.erase(&socket);
    Code ignored;
    socket.close(ignored);
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (tcp::socket* socket : sockets_) shut(*socket);
  }
  bool ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  static void shut(tcp::socket& socket) {
    Code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  mutable std::mutex mutex_;
  std::set<tcp::socket*> sockets_;
  bool ended_ = false;
};

/// A socket's place among them.
class Open {
 public:
  Open(OpenSockets& all, tcp::socket& socket) : all_(all), socket_(socket) { all_.add(&socket_); }
  ~Open() { all_.remove(&socket_); }

 private:
  OpenSockets& all_;
  tcp::socket& socket_;
};

/// Lets bytes through at a rate.
class Throttle {
 public:
  explicit Throttle(double bytes_per_s) : rate_(bytes_per_s) {}

  void pass(std::size_t bytes) {
    if (rate_ <= 0) return;
    Clock::time_point due;
    {
      const std::lock_guard lock(mutex_);
      next_ = std::max(next_, Clock::now() - std::chrono::milliseconds(20)) +
              std::chrono::duration_cast<Clock::duration>(
                  std::chrono::duration<double>(static_cast<double>(bytes) / rate_));
      due = next_;
    }
    std::this_thread::sleep_until(due);
  }

 private:
  const double rate_;
  std::mutex mutex_;
  Clock::time_point next_ = Clock::now();
};

Asked asked_of(const http::request<http::string_body>& request) {
  Asked asked{std::string(request.method_string()), std::string(request.target()), {}};
  for (const auto& field : request) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(),
                           [](char c) { return static_cast<char>(std::tolower(c)); });
    asked.fields[name] = std::string(field.value());
  }
  return asked;
}

// Takes connections until the sockets are ended, each on a thread; `serve` may throw.
template <typename Serve>
void accept_all(asio::io_context& context, tcp::acceptor& acceptor, OpenSockets& sockets,
                Serve serve) {
  std::list<std::thread> threads;
  for (;;) {
    auto socket = std::make_shared<tcp::socket>(context);
    Code failed;
    acceptor.accept(*socket, failed);
    if (failed || sockets.ended()) break;
    threads.emplace_back([serve, socket] {
      try {
        serve(std::move(*socket));
      } catch (const std::exception&) {  // the client went away
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

void wake(std::uint16_t port) {
  asio::io_context context;
  tcp::socket socket(context);
  Code ignored;
  socket.connect({asio::ip::address_v4::loopback(), port}, ignored);
}

}  // namespace

std::string Asked::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> Asked::range() const {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  if (std::sscanf(field("range").c_str(), "bytes=%lu-%lu", &first, &last) != 2) return std::nullopt;
  return std::pair(first, last);
}

struct WebServer::State {
  Handler handler;
  std::optional<asio::ssl::context> tls;
  Line line;
  Throttle throttle{line.bytes_per_s};
  asio::io_context context = asio::io_context();
  tcp::acceptor acceptor{context};
  OpenSockets sockets = {};
  mutable std::mutex mutex = {};
  std::vector<Asked> asked = {};
  std::size_t connections = 0;
  std::thread thread = {};

  void serve(tcp::socket socket) {
    {
      const std::lock_guard lock(mutex);
      ++connections;
    }
    socket.set_option(tcp::no_delay(true));
    sleep_for(line.latency_s);  // of TCP's handshake
    if (tls) {
      asio::ssl::stream<tcp::socket> stream(std::move(socket), *tls);
      stay(stream, stream.next_layer(), [&] {
        sleep_for(line.latency_s);
        stream.handshake(asio::ssl::stream_base::server);
      });
    } else {
      stay(socket, socket, [] {});
    }
  }

  template <typename Stream, typename Begin>
  void stay(Stream& stream, tcp::socket& socket, Begin begin) {
    const Open open(sockets, socket);
    begin();
    boost::beast::flat_buffer buffer;
    while (answer(stream, socket, buffer)) {
    }
  }

  /// \returns whether the connection stays
  template <typename Stream>
  bool answer(Stream& stream, tcp::socket& socket, boost::beast::flat_buffer& buffer) {
    http::request<http::string_body> request;
    http::read(stream, buffer, request);
    const Asked question = asked_of(request);
    {
      const std::lock_guard lock(mutex);
      asked.push_back(question);
    }
    const Reply reply = handler(question);
    sleep_for(line.latency_s + reply.delay_s);
    const std::string_view body =
        reply.file ? std::string_view(*reply.file).substr(reply.first, reply.size) : reply.body;
    http::response<http::empty_body> head(http::int_to_status(reply.status), 11);
    for (const auto& [name, value] : reply.fields) head.set(name, value);
    if (!reply.fields.contains("Transfer-Encoding")) head.content_length(body.size());
    http::serializer<false, http::empty_body> serializer(head);
    http::write_header(stream, serializer);
    const bool whole = reply.ending == Reply::Ending::whole;
    send(stream, body.substr(0, whole ? body.npos : reply.ends_after));
    if (whole) return true;
    end(socket, reply.ending);
    return false;
  }

  template <typename Stream>
  void send(Stream& stream, std::string_view body) {
    constexpr std::size_t kPiece = std::size_t{64} << 10;
    for (std::size_t at = 0; at < body.size(); at += kPiece) {
      const std::string_view piece = body.substr(at, kPiece);
      throttle.pass(piece.size());
      asio::write(stream, asio::buffer(piece.data(), piece.size()));
    }
  }

  void end(tcp::socket& socket, Reply::Ending ending) {
    Code ignored;
    while (ending == Reply::Ending::stall && !sockets.ended() && socket.is_open()) {
      char byte = 0;
      if (socket.receive(asio::buffer(&byte, 1), 0, ignored) == 0) break;  // the client hung up
    }
    if (ending == Reply::Ending::reset) socket.set_option(tcp::socket::linger(true, 0), ignored);
    sockets.close(socket);
  }
};

WebServer::WebServer(Handler handler, std::optional<Certificate> certificate, std::uint16_t port,
                     Line line)
    : state_(new State{std::move(handler), std::nullopt, line}) {
  if (certificate) {
    state_->tls.emplace(asio::ssl::context::tls_server);
    state_->tls->use_certificate_chain(asio::buffer(certificate->chain));
    state_->tls->use_private_key(asio::buffer(certificate->key), asio::ssl::context::pem);
  }
  const tcp::endpoint place(asio::ip::address_v4::loopback(), port);
  state_->acceptor.open(place.protocol());
  state_->acceptor.set_option(tcp::acceptor::reuse_address(true));
  state_->acceptor.bind(place);
  state_->acceptor.listen();
  state_->thread = std::thread([state = state_.get()] {
    accept_all(state->context, state->acceptor, state->sockets,
               [state](tcp::socket socket) { state->serve(std::move(socket)); });
  });
}

WebServer::~WebServer() {
  state_->sockets.end();
  wake(port());
  state_->thread.join();
}

std::uint16_t WebServer::port() const {
  return state_->acceptor.local_endpoint().port();
}

std::string WebServer::origin(const std::string& name) const {
  return (state_->tls ? "https://" : "http://") + name + ":" + std::to_string(port());
}

std::vector<Asked> WebServer::asked() const {
  const std::lock_guard lock(state_->mutex);
  return state_->asked;
}

std::size_t WebServer::connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->connections;
}

Reply reply_with(const Asked& asked, std::shared_ptr<const std::string> bytes,
                 const std::string& etag) {
  Reply reply;
  reply.fields["ETag"] = etag;
  reply.file = bytes;
  reply.size = bytes->size();
  const auto range = asked.range();
  if (!range) return reply;
  if (range->first >= bytes->size()) {
    reply.status = 416;
    reply.file = nullptr;
    reply.fields["Content-Range"] = "bytes */" + std::to_string(bytes->size());
    return reply;
  }
  const std::uint64_t last = std::min<std::uint64_t>(range->second, bytes->size() - 1);
  reply.status = 206;
  reply.first = range->first;
  reply.size = last + 1 - range->first;
  reply.fields["Content-Range"] = "bytes " + std::to_string(range->first) + "-" +
                                  std::to_string(last) + "/" + std::to_string(bytes->size());
  return reply;
}

struct Proxy::State {
  asio::io_context context = asio::io_context();
  tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
  OpenSockets sockets = {};
  mutable std::mutex mutex = {};
  std::vector<Asked> asked = {};
  std::thread thread = {};

  void relay(tcp::socket client) {
    const Open client_open(sockets, client);
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::read(client, buffer, request);
    const Asked question = asked_of(request);
    {
      const std::lock_guard lock(mutex);
      asked.push_back(question);
    }
    const std::size_t colon = question.target.rfind(':');
    tcp::socket server(context);
    const Open server_open(sockets, server);
    asio::connect(server, tcp::resolver(context).resolve(question.target.substr(0, colon),
                                                         question.target.substr(colon + 1)));
    const std::string answer = "HTTP/1.1 200 Connected\r\n\r\n";
    asio::write(client, asio::buffer(answer));
    std::thread back([&] { copy(server, client); });
    copy(client, server);
    back.join();
  }

  static void copy(tcp::socket& from, tcp::socket& to) {
    std::vector<char> bytes(65536);
    Code failed;
    while (const std::size_t got = from.receive(asio::buffer(bytes), 0, failed)) {
      if (asio::write(to, asio::buffer(bytes, got), failed); failed) break;
    }
    from.shutdown(tcp::socket::shutdown_both, failed);
    to.shutdown(tcp::socket::shutdown_both, failed);
  }
};

Proxy::Proxy() : state_(std::make_shared<State>()) {
  state_->thread = std::thread([state = state_.get()] {
    accept_all(state->context, state->acceptor, state->sockets,
               [state](tcp::socket socket) { state->relay(std::move(socket)); });
  });
}

Proxy::~Proxy() {
  state_->sockets.end();
  wake(port());
  state_->thread.join();
}

std::uint16_t Proxy::port() const {
  return state_->acceptor.local_endpoint().port();
}

std::vector<Asked> Proxy::asked() const {
  const std::lock_guard lock(state_->mutex);
  return state_->asked;
}

}  // namespace sluice::testing_support
