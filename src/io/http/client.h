#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/http/connection.h"
#include "io/http/environment.h"
#include "io/http/url.h"

namespace sluice::io {

class ConnectionPool;

/// A range of bytes, as HTTP has it: both ends belong to it.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// An answer whose body is read from the connection. A connection whose answer was read to its end
/// goes back to the pool.
class Answer {
 public:
  Answer(ConnectionPool& pool, std::string key, std::unique_ptr<Connection> connection,
         const Connection::Head& head, Url url, const Wait& wait);
  Answer(Answer&&) noexcept = default;
  ~Answer();

  unsigned status() const { return head_.result_int(); }
  /// A header's value, of whatever case its name is; empty: there is none.
  std::string field(std::string_view name) const;
  /// Where the answer came from.
  const Url& url() const { return url_; }
  /// Bytes of the body, if the server says so beforehand.
  std::optional<std::uint64_t> body_size() const { return connection_->body_size(); }

  /// Up to `out.size()` bytes of the body; 0: that was all.
  std::size_t read(std::span<std::byte> out);

 private:
  ConnectionPool* pool_;
  std::string key_;
  std::unique_ptr<Connection> connection_;
  Connection::Head head_;
  Url url_;
  Wait wait_;
};

/// Sends GET requests, from any number of threads, over connections that are kept for the next one.
/// \throws as Connection does
class Client {
 public:
  explicit Client(Environment environment);
  ~Client();

  const Environment& environment() const { return environment_; }

  /// One request and the head of its answer, whatever it says.
  Answer get(const Url& url, const std::optional<ByteRange>& range, const Wait& wait);

  /// The URL's text, redirects followed.
  /// \throws Error (input_open) naming what the server refuses, or a text of more than `most` bytes
  std::string text(const Url& url, std::size_t most, const Wait& wait);

  /// Whether any server has answered yet, whatever it said.
  bool answered() const { return answered_; }

 private:
  const Environment environment_;
  std::atomic<bool> answered_ = false;
  const std::unique_ptr<ConnectionPool> pool_;
};

/// Where a redirect leads; none: the answer is not one.
/// \throws Transient, Error (input_open) for one that leads nowhere, or from TLS to none
std::optional<Url> redirect_of(const Answer& answer);

/// Redirects in a row that are followed.
inline constexpr int kMostRedirects = 10;

/// Nothing for an answer that gives what was asked for.
/// \throws Transient if it may be given later; Error (input_open) with what helps
void require_success(const Answer& answer, const Environment& environment);

}  // namespace sluice::io
