#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "base/thread.h"
#include "io/source.h"

namespace sluice::io {
namespace {

// One connection gives what its server or its share of the way allows, and waits a round trip
// between two ranges; eight fill most lines.
constexpr int kConnections = 8;
// Larger ranges are read in pieces, over several connections.
constexpr std::size_t kPiece = std::size_t{4} << 20;

/// A range whose pieces are on their way.
struct RemoteRead {
  std::span<std::byte> bytes;
  ReadDone done;
  std::mutex mutex = {};
  std::size_t pieces = 0;  // that are left
  std::exception_ptr error = {};
};

/// Reads local files through another source, and remote ones over several connections.
class RemoteSource final : public Source {
 public:
  RemoteSource(std::vector<const File*> files, std::vector<std::size_t> local_parts,
               std::unique_ptr<Source> local)
      : files_(std::move(files)),
        local_parts_(std::move(local_parts)),
        local_(std::move(local)),
        name_(local_ ? fmt::format("{}, https", local_->name()) : "https") {
    for (const File* file : files_) file->forget_start();
    for (int i = 0; i < kConnections; ++i) threads_.emplace_back([this] { work(); });
  }

  ~RemoteSource() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (Thread& thread : threads_) thread.join();
  }

  std::string_view name() const override { return name_; }
  std::string cached_file() const override { return local_ ? local_->cached_file() : ""; }
  std::string unseen_file() const override { return local_ ? local_->unseen_file() : ""; }
  std::uint64_t found_bytes() const override { return local_ ? local_->found_bytes() : 0; }

  void read(const ReadRange& range, std::span<std::byte> buffer, ReadDone done) override {
    if (!files_[range.part]->remote()) return local_->read(local(range), buffer, std::move(done));
    if (range.size == 0) return done({}, nullptr);
    auto read = std::make_shared<RemoteRead>();
    read->bytes = buffer.first(range.size);
    read->done = std::move(done);
    read->pieces = (range.size + kPiece - 1) / kPiece;
    {
      const std::lock_guard lock(mutex_);
      for (std::size_t at = 0; at < range.size; at += kPiece) {
        queue_.push_back({read, files_[range.part], range.offset + at,
                          read->bytes.subspan(at, std::min(kPiece, range.size - at))});
      }
    }
    changed_.notify_all();
  }

  void fill(const ReadRange& range, std::span<const std::byte> bytes) override {
    if (!files_[range.part]->remote()) local_->fill(local(range), bytes);
  }

  void check(const ReadRange& range) const override {
    if (!files_[range.part]->remote()) local_->check(local(range));
  }

  void release(const ReadRange& range) override {
    if (!files_[range.part]->remote()) local_->release(local(range));
  }

 private:
  struct Piece {
    std::shared_ptr<RemoteRead> read;
    const File* file;
    std::uint64_t offset;
    std::span<std::byte> bytes;
  };

  ReadRange local(ReadRange range) const {
    range.part = local_parts_[range.part];
    return range;
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const Piece piece = std::move(queue_.front());
      queue_.pop_front();
      std::exception_ptr error = error_;
      lock.unlock();
      if (!error) error = fetch(piece);
      finish(*piece.read, std::move(error));
    }
  }

  // What is for good ends the reads that wait too: each would only wait as long again.
  std::exception_ptr fetch(const Piece& piece) {
    try {
      const std::size_t got = piece.file->read_at(piece.offset, piece.bytes);
      if (got < piece.bytes.size()) return shrunk_error(*piece.file, piece.offset + got);
      return nullptr;
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
      return error_;
    }
  }

  static void finish(RemoteRead& read, std::exception_ptr error) {
    {
      const std::lock_guard lock(read.mutex);
      if (error && !read.error) read.error = std::move(error);
      if (--read.pieces > 0) return;
    }
    read.done(read.bytes, read.error);
  }

  const std::vector<const File*> files_;
  const std::vector<std::size_t> local_parts_;  // for each file its number in local_
  const std::unique_ptr<Source> local_;         // null: all are remote
  const std::string name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> queue_;
  std::exception_ptr error_;
  bool ended_ = false;
  std::vector<Thread> threads_;
};

}  // namespace

std::unique_ptr<Source> open_remote_source(std::vector<const File*> files,
                                           std::vector<std::size_t> local_parts,
                                           std::unique_ptr<Source> local) {
  return std::make_unique<RemoteSource>(std::move(files), std::move(local_parts), std::move(local));
}

}  // namespace sluice::io
