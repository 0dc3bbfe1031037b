#include "io/http/remote_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "sluice/amounts.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

// Most headers fit, so that opening a file and reading its header is one request.
constexpr std::uint64_t kStart = std::uint64_t{256} << 10;
// What a server that knows no ranges may send: small files, which are kept in memory.
constexpr std::uint64_t kMostWhole = std::uint64_t{16} << 20;

/// The value of Content-Range.
struct SentRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t total = 0;
};

std::optional<SentRange> sent_range(const Answer& answer) {
  SentRange range;
  int end = 0;
  const std::string text = answer.field("Content-Range");
  const int count = std::sscanf(text.c_str(), "bytes %20lu-%20lu/%20lu%n", &range.first,
                                &range.last, &range.total, &end);
  const bool good = count == 3 && static_cast<std::size_t>(end) == text.size() &&
                    range.first <= range.last && range.last < range.total;
  return good ? std::optional(range) : std::nullopt;
}

std::string etag_of(const Answer& answer) {
  std::string etag = answer.field("ETag");
  return etag.empty() ? answer.field("Last-Modified") : etag;
}

bool may_have_expired(unsigned status) {
  return status == 400 || status == 401 || status == 403 || status == 404 || status == 410;
}

void read_exactly(Answer& answer, std::span<std::byte> out, std::size_t& done) {
  while (done < out.size()) {
    const std::size_t got = answer.read(out.subspan(done));
    if (got == 0) throw Transient("the body was cut short");
    done += got;
  }
}

}  // namespace

RemoteFile::RemoteFile(std::string name, Url origin, std::shared_ptr<Network> network,
                       const std::atomic<bool>* stop)
    : name_(std::move(name)),
      origin_(std::move(origin)),
      network_(std::move(network)),
      stop_(stop) {
  patiently(*network_, name_, stop_, 0, [&] { open(); });
}

Url RemoteFile::place() const {
  const std::lock_guard lock(mutex_);
  return place_.value_or(origin_);
}

void RemoteFile::remember(const Url& place) const {
  const std::lock_guard lock(mutex_);
  if (place.text() == origin_.text()) {
    place_.reset();
  } else {
    place_ = place;
  }
}

Answer RemoteFile::ask(const ByteRange& range, std::string& linked_etag) const {
  Url at = place();
  for (int hops = 0; hops <= kMostRedirects; ++hops) {
    Answer answer = network_->client.get(at, range, network_->wait(stop_));
    if (std::optional<Url> next = redirect_of(answer)) {
      if (std::string etag = answer.field("X-Linked-ETag"); !etag.empty()) linked_etag = etag;
      at = *std::move(next);
      continue;
    }
    if (at.text() != origin_.text() && may_have_expired(answer.status())) {
      throw Transient(fmt::format("{}, to which {} redirects, answers {}", at.authority(),
                                  origin_.authority(), answer.status()),
                      0, true);
    }
    if (answer.status() != 416) require_success(answer, network_->client.environment());
    remember(at);
    return answer;
  }
  throw Transient("it redirects without an end");
}

void RemoteFile::open() {
  std::string linked_etag;
  start_.clear();
  Answer answer = ask({0, kStart - 1}, linked_etag);
  linked_ = !linked_etag.empty();
  etag_ = linked_ ? linked_etag : etag_of(answer);
  if (answer.status() == 416) {
    if (answer.field("Content-Range") != "bytes */0") throw Transient("the server refuses a range");
    return;
  }
  if (answer.status() == 200) return take_whole(answer);
  const std::optional<SentRange> sent = sent_range(answer);
  if (!sent || sent->first != 0) throw Transient("another range came than was asked for");
  size_ = sent->total;
  start_.resize(std::min(kStart, sent->last + 1));
  std::size_t done = 0;
  read_exactly(answer, start_, done);
}

void RemoteFile::take_whole(Answer& answer) {
  std::vector<std::byte> piece(std::size_t{64} << 10);
  while (std::max<std::uint64_t>(start_.size(), answer.body_size().value_or(0)) <= kMostWhole) {
    const std::size_t got = answer.read(piece);
    if (got == 0) {
      size_ = start_.size();
      whole_ = true;
      return;
    }
    start_.insert(start_.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  throw Error(ErrorCode::input_open, "its server sends whole files only, without ranges",
              {.cure = "Download it first"});
}

void RemoteFile::check_same(const Answer& answer, const std::string& linked_etag,
                            std::uint64_t total) const {
  const std::string now = linked_ ? linked_etag : etag_of(answer);
  const bool same_etag = now == etag_ || (linked_ && now.empty());
  if (same_etag && total == size_) return;
  throw Error(
      ErrorCode::input_changed, "was replaced on its server while it was read",
      {.file = name_, .cure = "Run again with --restart; of a hub, name a commit (@REVISION)"});
}

void RemoteFile::fetch(std::uint64_t offset, std::span<std::byte> out, std::size_t& done) const {
  const ByteRange range{offset + done, offset + out.size() - 1};
  std::string linked_etag;
  Answer answer = ask(range, linked_etag);
  const std::optional<SentRange> sent = sent_range(answer);
  if (answer.status() == 416 || (answer.status() == 206 && sent)) {
    check_same(answer, linked_etag, sent ? sent->total : 0);
  }
  if (answer.status() != 206 || !sent || sent->first != range.first || sent->last > range.last) {
    throw Transient("another range came than was asked for");
  }
  read_exactly(answer, out.first(done + sent->last + 1 - sent->first), done);
}

std::size_t RemoteFile::copy_start(std::uint64_t offset, std::span<std::byte> out) const {
  const std::lock_guard lock(mutex_);
  if (offset >= start_.size()) return 0;
  const std::size_t count = std::min<std::size_t>(out.size(), start_.size() - offset);
  std::memcpy(out.data(), start_.data() + offset, count);
  return count;
}

std::size_t RemoteFile::read_at(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset >= size_) return 0;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
  std::size_t done = copy_start(offset, out);
  while (done < out.size()) {
    patiently(*network_, name_, stop_, done, [&] {
      try {
        fetch(offset, out, done);
      } catch (const Transient&) {
        remember(origin_);  // which may lead to a better place
        throw;
      }
    });
  }
  return done;
}

void RemoteFile::forget_start() const {
  const std::lock_guard lock(mutex_);
  if (!whole_) std::vector<std::byte>().swap(start_);
}

}  // namespace sluice::io
