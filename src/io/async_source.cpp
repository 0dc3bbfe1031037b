#define BOOST_ASIO_HAS_IO_URING 1

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/random_access_file.hpp>
#include <cerrno>
#include <vector>

#include "base/checked.h"
#include "base/thread.h"
#include "io/direct.h"
#include "io/source.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

namespace asio = boost::asio;

// One read in flight. An Asio file object runs one read at a time, however many are queued, so each
// read has an object of its own over a duplicated descriptor: the queue is as deep as the budget
// grants. Duplicating costs microseconds, a read milliseconds.
class Read : public std::enable_shared_from_this<Read> {
 public:
  Read(asio::io_context& context, int descriptor, const File& file, const ReadRange& range,
       bool direct, std::span<std::byte> buffer, ReadDone done, std::function<void()> refused)
      : stream_(context, descriptor),
        file_(file),
        range_(range),
        direct_(direct),
        done_(std::move(done)),
        refused_(std::move(refused)) {
    if (direct) {
      start_ = align_down(range.offset, kDirectAlignment);
      length_ = align_up(range.offset + range.size, kDirectAlignment) - start_;
    } else {
      start_ = range.offset;
      length_ = range.size;
    }
    window_ = buffer.first(length_);
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
      refused_();
      return finish_through_cache(got_);
    }
    if (error && error != asio::error::eof) {
      return finish(std::make_exception_ptr(
          Error(ErrorCode::input_read, "cannot be read: " + error.message(),
                {.file = file_.path(), .offset = start_ + got_, .cure = "Check the disk"})));
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
      got += file_.read_at(start_ + got, window_.first(wanted).subspan(got));
      if (got < wanted) error = shrunk_error(file_, start_ + got);
    } catch (...) {
      error = std::current_exception();
    }
    finish(error);
  }

  void finish(std::exception_ptr error) {
    if (!direct_) {
      file_.drop_cached(align_down(range_.offset, File::kLargestFolio),
                        align_up(range_.offset + range_.size, File::kLargestFolio));
    }
    const ReadDone done = std::move(done_);
    done(window_.subspan(range_.offset - start_, range_.size), std::move(error));
  }

  asio::random_access_file stream_;
  const File& file_;
  const ReadRange range_;
  const bool direct_;
  std::uint64_t start_ = 0;
  std::size_t length_ = 0;
  std::size_t got_ = 0;
  std::span<std::byte> window_;
  ReadDone done_;
  std::function<void()> refused_;  // told if the file system refuses a direct read
};

class AsyncSource final : public Source {
 public:
  explicit AsyncSource(std::vector<const File*> files)
      : files_(std::move(files)), work_(context_.get_executor()) {
    // Where io_uring is forbidden, constructing a file object throws, opened or not: the probe.
    const asio::random_access_file probe(context_);
    for (const File* file : files_) {
      direct_.push_back(open_direct(*file, O_RDONLY));
      if (direct_.back().descriptor() < 0) note_cached(*file);
    }
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

  void read(const ReadRange& range, std::span<std::byte> buffer, ReadDone done) override {
    const File& file = *files_[range.part];
    const bool direct = direct_[range.part].descriptor() >= 0;
    const int descriptor =
        ::fcntl(direct ? direct_[range.part].descriptor() : file.descriptor(), F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
      return done({}, std::make_exception_ptr(Error(
                          ErrorCode::input_read, "no file descriptor: " + system_message(errno),
                          {.file = file.path(), .cure = "Raise the limit (ulimit -n)"})));
    }
    std::make_shared<Read>(context_, descriptor, file, range, direct, buffer, std::move(done),
                           [this, &file] { note_cached(file); })
        ->start();
  }

  void release(const ReadRange&) override {}

 private:
  // The first is enough: it is for the user to know.
  void note_cached(const File& file) {
    const File* none = nullptr;
    cached_.compare_exchange_strong(none, &file);
  }

  const std::vector<const File*> files_;
  std::vector<File> direct_;  // closed where a file system refuses O_DIRECT
  std::atomic<const File*> cached_ = nullptr;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Thread thread_;
};

}  // namespace

std::unique_ptr<Source> open_async_source(std::vector<const File*> files, std::string& reason) {
  try {
    return std::make_unique<AsyncSource>(std::move(files));
  } catch (const boost::system::system_error& error) {
    reason = "io_uring is not available (" + error.code().message() + ")";
    return nullptr;
  }
}

}  // namespace sluice::io
