#include <fcntl.h>
#include <unistd.h>

#include <deque>
#include <utility>

#include "base/checked.h"
#include "io/brought_pages.h"
#include "io/direct.h"
#include "io/source.h"

namespace sluice::io {
namespace {

class UncachedSource final : public Source {
 public:
  explicit UncachedSource(std::vector<const File*> files) : files_(std::move(files)) {
    for (const File* file : files_) {
      direct_.push_back(file->remote() ? File() : open_direct(*file, O_RDONLY));
      brought_.emplace_back(*file);
    }
  }

  std::string_view name() const override { return "uncached"; }

  void read(const ReadRange& range, std::span<std::byte> buffer, ReadDone done) override {
    std::span<const std::byte> bytes;
    std::exception_ptr error;
    try {
      bytes = read(range, buffer);
    } catch (...) {
      error = std::current_exception();
    }
    done(bytes, error);
  }

  void release(const ReadRange&) override {}

 private:
  std::span<const std::byte> read(const ReadRange& range, std::span<std::byte> buffer) {
    const File& plain = *files_[range.part];
    const File& direct = direct_[range.part];
    const std::uint64_t start = align_down(range.offset, kDirectAlignment);
    const std::size_t before = range.offset - start;
    const std::size_t wanted = before + range.size;
    const std::span<std::byte> window = buffer.first(align_up(wanted, kDirectAlignment));
    std::size_t got = 0;
    if (direct.descriptor() >= 0) {
      // One call: direct reads go on from whole pages only, and a short one ends at the file's end
      // or is made whole below.
      const ssize_t read =
          ::pread(direct.descriptor(), window.data(), window.size(), static_cast<off_t>(start));
      if (read > 0) got = static_cast<std::size_t>(read);
    }
    if (got < wanted)
      got += read_through_cache(plain, brought_[range.part], start + got,
                                window.first(wanted).subspan(got));
    if (got < wanted) std::rethrow_exception(shrunk_error(plain, start + got));
    return window.subspan(before, range.size);
  }

  static std::size_t read_through_cache(const File& file, BroughtPages& brought,
                                        std::uint64_t offset, std::span<std::byte> out) {
    if (file.remote()) return file.read_at(offset, out);
    brought.look(offset, offset + out.size());
    ::posix_fadvise(file.descriptor(), static_cast<off_t>(offset), static_cast<off_t>(out.size()),
                    POSIX_FADV_RANDOM);  // no more is read than was asked for
    const std::size_t got = file.read_at(offset, out);
    ::posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_NORMAL);
    brought.drop(offset, align_up(offset + got, CachedPages::kPage));
    return got;
  }

  const std::vector<const File*> files_;
  std::vector<File> direct_;  // closed where a file system refuses
  std::deque<BroughtPages> brought_;
};

}  // namespace

std::unique_ptr<Source> open_uncached_source(std::vector<const File*> files) {
  return std::make_unique<UncachedSource>(std::move(files));
}

}  // namespace sluice::io
