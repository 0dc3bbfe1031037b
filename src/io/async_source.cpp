#define BOOST_ASIO_HAS_IO_URING 1

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/random_access_file.hpp>
#include <cerrno>
#include <deque>
#include <mutex>
#include <vector>

#include "base/checked.h"
#include "base/thread.h"
#include "io/brought_pages.h"
#include "io/cached_ranges.h"
#include "io/direct.h"
#include "io/source.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

namespace asio = boost::asio;

/// How the bytes of a file are read.
struct AsyncFile {
  explicit AsyncFile(const File& opened)
      : file(opened), direct(open_direct(opened, O_RDONLY)), brought(opened) {
    // What the kernel would read ahead by itself could not be told from what was there before.
    ::posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_RANDOM);
  }

  const File& file;
  const File direct;     // closed where the file system refuses O_DIRECT
  BroughtPages brought;  // by what is read through the page cache after all
};

/// Reads of parts of one range.
class RangeRead {
 public:
  RangeRead(std::size_t parts, std::span<const std::byte> bytes, ReadDone done)
      : left_(parts), bytes_(bytes), done_(std::move(done)) {}

  /// A part is read. The last one passes the range on, with the first error.
  void end_part(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (error && !error_) error_ = std::move(error);
      if (--left_ > 0) return;
    }
    done_(bytes_, error_);
  }

 private:
  std::mutex mutex_;
  std::size_t left_;
  std::exception_ptr error_;
  const std::span<const std::byte> bytes_;
  const ReadDone done_;
};

// One read in flight. An Asio file object runs one read at a time, however many are queued, so each
// read has an object of its own over a duplicated descriptor: the queue is as deep as the budget
// grants. Duplicating costs microseconds, a read milliseconds.
class Read : public std::enable_shared_from_this<Read> {
 public:
  /// \param buffer  its first byte is that of the page in which the range begins
  Read(asio::io_context& context, int descriptor, AsyncFile& file, const ReadRange& range,
       std::span<std::byte> buffer, std::shared_ptr<RangeRead> whole,
       std::function<void()> through_cache)
      : stream_(context, descriptor),
        file_(file),
        range_(range),
        direct_(file.direct.descriptor() >= 0),
        whole_(std::move(whole)),
        through_cache_(std::move(through_cache)) {
    const std::uint64_t page = align_down(range.offset, kDirectAlignment);
    const std::uint64_t end = range.offset + range.size;
    start_ = direct_ ? page : range.offset;
    window_ =
        buffer.subspan(start_ - page, (direct_ ? align_up(end, kDirectAlignment) : end) - start_);
    if (!direct_) file_.brought.look(start_, end);
  }

  void start() {
    stream_.async_read_some_at(
        start_ + got_, asio::buffer(window_.data() + got_, window_.size() - got_),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
          self->advance(error, bytes);
        });
  }

 private:
  void advance(const boost::system::error_code& error, std::size_t bytes) {
    if (error == asio::error::interrupted || error == asio::error::try_again) return start();
    // Some file systems take O_DIRECT at opening and refuse the read.
    if (direct_ && error == asio::error::invalid_argument) {
      through_cache_();
      return finish_through_cache(got_);
    }
    if (error && error != asio::error::eof) {
      return finish(std::make_exception_ptr(
          Error(ErrorCode::input_read, "cannot be read: " + error.message(),
                {.file = file_.file.path(), .offset = start_ + got_, .cure = "Check the disk"})));
    }
    const std::size_t end = got_ + bytes;
    if (end >= range_.offset - start_ + range_.size) return finish(nullptr);
    // A short read. A direct one may only go on from an aligned place.
    const std::size_t next = direct_ ? align_down(end, kDirectAlignment) : end;
    if (next == got_) return finish_through_cache(end);
    got_ = next;
    start();
  }

  // Where reads do not go on: the end of the file, or a file system that gives direct reads in
  // pieces smaller than a page. One plain read settles which.
  void finish_through_cache(std::size_t got) {
    const std::size_t wanted = range_.offset - start_ + range_.size;
    std::exception_ptr error;
    try {
      file_.brought.look(start_ + got, start_ + wanted);
      got += file_.file.read_at(start_ + got, window_.first(wanted).subspan(got));
      if (got < wanted) error = shrunk_error(file_.file, start_ + got);
    } catch (...) {
      error = std::current_exception();
    }
    finish(error);
  }

  void finish(std::exception_ptr error) {
    file_.brought.drop(align_down(range_.offset, File::kLargestFolio),
                       align_up(range_.offset + range_.size, File::kLargestFolio));
    whole_->end_part(std::move(error));
  }

  asio::random_access_file stream_;
  AsyncFile& file_;
  const ReadRange range_;
  const bool direct_;
  std::uint64_t start_ = 0;
  std::size_t got_ = 0;
  std::span<std::byte> window_;
  const std::shared_ptr<RangeRead> whole_;
  const std::function<void()> through_cache_;  // told if the file system refuses a direct read
};

class AsyncSource final : public Source {
 public:
  AsyncSource(std::vector<const File*> files, bool take_cached) : work_(context_.get_executor()) {
    // Where io_uring is forbidden, constructing a file object throws, opened or not: the probe.
    const asio::random_access_file probe(context_);
    for (const File* file : files) {
      files_.emplace_back(*file);
      if (files_.back().direct.descriptor() < 0) note_cached(*file);
    }
    if (take_cached) cached_ranges_.emplace(std::move(files));
    thread_ = Thread([this] { context_.run(); });
  }

  ~AsyncSource() override {
    work_.reset();
    thread_.join();
  }

  std::string_view name() const override { return "async"; }

  std::string cached_file() const override {
    const File* file = cached_;
    return file == nullptr ? std::string() : file->path();
  }

  std::string unseen_file() const override {
    for (const AsyncFile& file : files_) {
      const bool matters = cached_ranges_ || file.direct.descriptor() < 0;
      if (matters && !file.brought.known()) return file.file.path();
    }
    return {};
  }

  std::uint64_t found_bytes() const override {
    return found_ + (cached_ranges_ ? cached_ranges_->bytes() : 0);
  }

  void read(const ReadRange& range, std::span<std::byte> buffer, ReadDone done) override {
    const std::uint64_t base = align_down(range.offset, kDirectAlignment);
    const std::span<std::byte> bytes = buffer.subspan(range.offset - base, range.size);
    std::vector<ReadRange> missing{range};
    if (takes_cached(range)) {
      missing = cached_ranges_->missing(range, bytes);
      if (missing.empty()) return done(bytes, nullptr);
    }
    const auto whole = std::make_shared<RangeRead>(missing.size(), bytes, std::move(done));
    for (const ReadRange& part : missing) {
      const std::uint64_t page = align_down(part.offset, kDirectAlignment);
      try {
        start(part, buffer.subspan(page - base), whole);
      } catch (...) {
        whole->end_part(std::current_exception());
      }
    }
  }

  void fill(const ReadRange& range, std::span<const std::byte> bytes) override {
    if (takes_cached(range)) cached_ranges_->fill(bytes);
  }

  void release(const ReadRange&) override {}

 private:
  // What is read through the page cache finds there what there is.
  bool takes_cached(const ReadRange& range) const {
    return cached_ranges_ && files_[range.part].direct.descriptor() >= 0;
  }

  void start(const ReadRange& part, std::span<std::byte> buffer,
             const std::shared_ptr<RangeRead>& whole) {
    AsyncFile& file = files_[part.part];
    const bool direct = file.direct.descriptor() >= 0;
    const int descriptor =
        ::fcntl((direct ? file.direct : file.file).descriptor(), F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
      throw Error(ErrorCode::input_read, "no file descriptor: " + system_message(errno),
                  {.file = file.file.path(), .cure = "Raise the limit (ulimit -n)"});
    }
    const auto read = std::make_shared<Read>(context_, descriptor, file, part, buffer, whole,
                                             [this, &file] { note_cached(file.file); });
    if (!direct) found_ += file.brought.bytes_found(part.offset, part.offset + part.size);
    read->start();
  }

  // The first is enough: it is for the user to know.
  void note_cached(const File& file) {
    const File* none = nullptr;
    cached_.compare_exchange_strong(none, &file);
  }

  std::deque<AsyncFile> files_;
  std::optional<CachedRanges> cached_ranges_;
  std::atomic<const File*> cached_ = nullptr;
  std::atomic<std::uint64_t> found_ = 0;  // in what is read through the page cache
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Thread thread_;
};

}  // namespace

std::unique_ptr<Source> open_async_source(std::vector<const File*> files, bool take_cached,
                                          std::string& reason) {
  try {
    return std::make_unique<AsyncSource>(std::move(files), take_cached);
  } catch (const boost::system::system_error& error) {
    reason = "io_uring is not available (" + error.code().message() + ")";
    return nullptr;
  }
}

}  // namespace sluice::io
