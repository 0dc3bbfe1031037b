#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/http/client.h"
#include "io/http/network.h"
#include "io/http/url.h"

namespace sluice::io {

/// A file on a server, read by ranges from any number of threads. Redirects are followed once and
/// their end remembered until it fails; then the origin is asked anew.
class RemoteFile {
 public:
  /// Asks for the file's first bytes, size and identity.
  /// \param name  for errors
  /// \param stop  ends all waiting, now and later; may be null
  /// \throws Error (input_open, input_read), also for a server that sends large files as a whole
  RemoteFile(std::string name, Url origin, std::shared_ptr<Network> network,
             const std::atomic<bool>* stop);

  std::uint64_t size() const { return size_; }
  /// The server's name of this very content; if it has none, the time of its last change; or empty.
  const std::string& etag() const { return etag_; }
  const Url& origin() const { return origin_; }

  /// Reads up to `out.size()` bytes at `offset`; fewer only at the end of the file.
  /// \throws Error (input_read; input_changed if the server has another file there now)
  std::size_t read_at(std::uint64_t offset, std::span<std::byte> out) const;

  /// Gives back the memory for the file's first bytes, which were for reading its header.
  void forget_start() const;

 private:
  Answer ask(const ByteRange& range, std::string& linked_etag) const;
  void open();
  void take_whole(Answer& answer);
  void check_same(const Answer& answer, const std::string& linked_etag, std::uint64_t total) const;
  void fetch(std::uint64_t offset, std::span<std::byte> out, std::size_t& done) const;
  std::size_t copy_start(std::uint64_t offset, std::span<std::byte> out) const;
  Url place() const;
  void remember(const Url& place) const;

  const std::string name_;
  const Url origin_;
  const std::shared_ptr<Network> network_;
  const std::atomic<bool>* const stop_;
  std::uint64_t size_ = 0;
  std::string etag_;
  bool linked_ = false;  // the ETag is the hub's, and not of the server that its link leads to
  bool whole_ = false;   // all of it is in start_: the server knows no ranges
  mutable std::mutex mutex_;
  mutable std::optional<Url> place_;  // where redirects led
  mutable std::vector<std::byte> start_;
};

}  // namespace sluice::io
