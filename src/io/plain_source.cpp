#include <fcntl.h>

#include <atomic>
#include <deque>
#include <utility>

#include "base/checked.h"
#include "io/brought_pages.h"
#include "io/source.h"

namespace sluice::io {
namespace {

class PlainSource final : public Source {
 public:
  explicit PlainSource(std::vector<const File*> files) : files_(std::move(files)) {
    for (const File* file : files_) {
      // What the kernel would read ahead by itself could not be told from what was there before.
      ::posix_fadvise(file->descriptor(), 0, 0, POSIX_FADV_RANDOM);
      brought_.emplace_back(*file);
    }
  }

  std::string_view name() const override { return "read"; }
  std::string unseen_file() const override { return first_unseen(files_, brought_); }
  std::uint64_t found_bytes() const override { return found_; }

  void read(const ReadRange& range, std::span<std::byte> buffer, ReadDone done) override {
    const File& file = *files_[range.part];
    BroughtPages& brought = brought_[range.part];
    const std::span<std::byte> bytes = buffer.first(range.size);
    const std::uint64_t end = range.offset + range.size;
    std::exception_ptr error;
    try {
      if (brought.look(range.offset, end + kReadAhead)) file.prefetch(end, kReadAhead);
      const std::size_t got = file.read_at(range.offset, bytes);
      if (got < bytes.size()) error = shrunk_error(file, range.offset + got);
      found_ += brought.bytes_found(range.offset, end);
      // The bytes are in the buffer now: the kernel's copy would only push other files out. The
      // folio at the end holds bytes that are read next; it goes then.
      brought.drop(align_down(range.offset, File::kLargestFolio), end);
    } catch (...) {
      error = std::current_exception();
    }
    done(bytes, error);
  }

  void release(const ReadRange&) override {}

 private:
  const std::vector<const File*> files_;
  std::deque<BroughtPages> brought_;
  std::atomic<std::uint64_t> found_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_plain_source(std::vector<const File*> files) {
  return std::make_unique<PlainSource>(std::move(files));
}

}  // namespace sluice::io
