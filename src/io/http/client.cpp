#include "io/http/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ssl/context.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/text.h"
#include "io/http/authorization.h"
#include "io/http/retries.h"
#include "sluice/error.h"
#include "sluice/version.h"

namespace sluice::io {
namespace {

namespace http = boost::beast::http;
using TlsContext = boost::asio::ssl::context;

// Where systems other than the one that the program was built on keep their certificates.
constexpr const char* kBundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

TlsContext trusting_context() {
  TlsContext context(TlsContext::tls_client);
  context.set_options(TlsContext::default_workarounds | TlsContext::no_sslv3 |
                      TlsContext::no_tlsv1 | TlsContext::no_tlsv1_1);
  context.set_verify_mode(boost::asio::ssl::verify_peer);
  context.set_default_verify_paths();  // heeds SSL_CERT_FILE and SSL_CERT_DIR
  if (std::getenv("SSL_CERT_FILE") != nullptr) return context;
  for (const char* bundle : kBundles) {
    boost::system::error_code ignored;
    if (std::filesystem::exists(bundle, ignored)) context.load_verify_file(bundle, ignored);
  }
  return context;
}

// Seconds; a date is left to the back-off.
double retry_after(const Answer& answer) {
  const std::string text = answer.field("Retry-After");
  unsigned seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return seconds;
}

std::string cure_of(unsigned status, const Url& url, const Environment& environment) {
  const bool hub = url.origin() == environment.hub.origin();
  if (status == 401 || status == 403) {
    if (!hub) return "Check whether the link has expired, and name and password";
    if (!environment.token.empty() && url.tls) {
      return "Accept the model's terms on its page, with the account that the token is of, or use "
             "another token (HF_TOKEN)";
    }
    return url.tls ? "Accept the model's terms on its page, and set HF_TOKEN or run `hf auth login`"
                   : "The token is not sent to an HF_ENDPOINT without TLS: name it with https://";
  }
  if (status == 404 || status == 410) {
    return hub ? "Check the names of model, revision and file; a private model needs HF_TOKEN"
               : "Check the URL";
  }
  return "Check the URL in a browser";
}

}  // namespace

/// Connections that wait for another request, by server and proxy.
class ConnectionPool {
 public:
  ConnectionPool() : certificates_(trusting_context()) {}

  TlsContext& certificates() { return certificates_; }

  std::unique_ptr<Connection> take(const std::string& key) {
    const std::lock_guard lock(mutex_);
    std::vector<std::unique_ptr<Connection>>& idle = idle_[key];
    if (idle.empty()) return nullptr;
    std::unique_ptr<Connection> connection = std::move(idle.back());
    idle.pop_back();
    return connection;
  }

  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    idle_.erase(key);
  }

  void give(const std::string& key, std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    idle_[key].push_back(std::move(connection));
  }

 private:
  TlsContext certificates_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::unique_ptr<Connection>>> idle_;
};

Answer::Answer(ConnectionPool& pool, std::string key, std::unique_ptr<Connection> connection,
               const Connection::Head& head, Url url, const Wait& wait)
    : pool_(&pool),
      key_(std::move(key)),
      connection_(std::move(connection)),
      head_(head),
      url_(std::move(url)),
      wait_(wait) {}

// What is left of a short body is read, which costs less than another connection.
Answer::~Answer() {
  constexpr std::uint64_t kWorthReading = 16 << 10;
  if (!connection_) return;
  try {
    if (!connection_->reusable() &&
        connection_->body_size().value_or(~std::uint64_t{0}) <= kWorthReading) {
      std::byte rest[1024];
      while (connection_->read(rest, wait_) > 0) {
      }
    }
    if (connection_->reusable()) pool_->give(key_, std::move(connection_));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): then the connection goes
  }
}

std::string Answer::field(std::string_view name) const {
  const auto found = head_.find(boost::string_view(name.data(), name.size()));
  return found == head_.end() ? std::string() : std::string(found->value());
}

std::size_t Answer::read(std::span<std::byte> out) {
  return connection_->read(out, wait_);
}

Client::Client(Environment environment)
    : environment_(std::move(environment)), pool_(std::make_unique<ConnectionPool>()) {}

Client::~Client() = default;

Answer Client::get(const Url& url, const std::optional<ByteRange>& range, const Wait& wait) {
  const std::optional<Url> proxy = environment_.proxy_for(url);
  const bool relayed = proxy && !url.tls;  // the proxy itself asks, and is told the whole URL
  Connection::Request request(http::verb::get, relayed ? url.text() : url.path + url.query, 11);
  request.set(http::field::host, url.authority());
  request.set(http::field::user_agent, fmt::format("sluice/{}", version()));
  request.set(http::field::accept_encoding, "identity");
  if (range) request.set(http::field::range, fmt::format("bytes={}-{}", range->first, range->last));
  if (const std::string who = authorization_for(url, environment_); !who.empty()) {
    request.set(http::field::authorization, who);
  }
  if (relayed && !proxy->user.empty()) {
    request.set(http::field::proxy_authorization, basic_authorization(proxy->user));
  }

  std::string key = fmt::format("{} {}", url.origin(), proxy ? proxy->origin() : "");
  if (std::unique_ptr<Connection> kept = pool_->take(key)) {
    try {
      const Connection::Head& head = kept->ask(request, wait);
      return {*pool_, std::move(key), std::move(kept), head, url, wait};
    } catch (const Transient&) {
      pool_->forget(key);  // the server may have closed what waited, which says nothing about it
    }
  }
  auto connection = std::make_unique<Connection>(url, proxy, pool_->certificates(), wait);
  const Connection::Head& head = connection->ask(request, wait);
  answered_ = true;
  return {*pool_, std::move(key), std::move(connection), head, url, wait};
}

std::string Client::text(const Url& url, std::size_t most, const Wait& wait) {
  Url at = url;
  for (int hops = 0; hops <= kMostRedirects; ++hops) {
    Answer answer = get(at, std::nullopt, wait);
    if (std::optional<Url> next = redirect_of(answer)) {
      at = *std::move(next);
      continue;
    }
    require_success(answer, environment_);
    std::string text;
    std::vector<std::byte> piece(std::size_t{16} << 10);
    while (const std::size_t got = answer.read(piece)) {
      text.append(reinterpret_cast<const char*>(piece.data()), got);
      if (text.size() > most) {
        throw Error(ErrorCode::input_open, fmt::format("the answer has more than {} bytes", most),
                    {.cure = "Check the URL in a browser"});
      }
    }
    return text;
  }
  throw Transient("it redirects without an end");
}

std::optional<Url> redirect_of(const Answer& answer) {
  const unsigned status = answer.status();
  if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
    return std::nullopt;
  }
  const std::string location = answer.field("Location");
  if (location.empty()) throw Transient("a redirect names no place");
  Url next = resolve(answer.url(), location);
  if (answer.url().tls && !next.tls) {
    throw Error(ErrorCode::input_open,
                fmt::format("{} redirects to {}, which is without TLS", answer.url().authority(),
                            next.authority()),
                {.cure = "Check the URL in a browser"});
  }
  if (next.origin() != answer.url().origin()) next.user.clear();
  return next;
}

void require_success(const Answer& answer, const Environment& environment) {
  const unsigned status = answer.status();
  if (status == 200 || status == 206) {
    const std::string coding = lower(answer.field("Content-Encoding"));
    if (coding.empty() || coding == "identity") return;
    throw Error(ErrorCode::input_open,
                fmt::format("the server sends it encoded ({})", printable(coding)),
                {.cure = "Ask the server's keeper not to compress it"});
  }
  const std::string what = fmt::format("{} answers {}", answer.url().authority(), status);
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    throw Transient(what, retry_after(answer));
  }
  throw Refused(status, Error(ErrorCode::input_open, what,
                              {.cure = cure_of(status, answer.url(), environment)}));
}

}  // namespace sluice::io
