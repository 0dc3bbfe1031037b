#include <fcntl.h>

#include <utility>

#include "base/checked.h"
#include "io/source.h"

namespace sluice::io {
namespace {

class PlainSource final : public Source {
 public:
  explicit PlainSource(std::vector<const File*> files) : files_(std::move(files)) {
    for (const File* file : files_) {
      ::posix_fadvise(file->descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
    }
  }

  std::string_view name() const override { return "read"; }

  void read(const ReadRange& range, std::span<std::byte> buffer, ReadDone done) override {
    const File& file = *files_[range.part];
    const std::span<std::byte> bytes = buffer.first(range.size);
    std::exception_ptr error;
    file.prefetch(range.offset + range.size, kReadAhead);
    try {
      const std::size_t got = file.read_at(range.offset, bytes);
      if (got < bytes.size()) error = shrunk_error(file, range.offset + got);
    } catch (...) {
      error = std::current_exception();
    }
    // The bytes are in the buffer now: the kernel's copy would only push other files out. The folio
    // at the end holds bytes that are read next; it goes then.
    file.drop_cached(align_down(range.offset, File::kLargestFolio), range.offset + range.size);
    done(bytes, error);
  }

  void release(const ReadRange&) override {}

 private:
  const std::vector<const File*> files_;
};

}  // namespace

std::unique_ptr<Source> open_plain_source(std::vector<const File*> files) {
  return std::make_unique<PlainSource>(std::move(files));
}

}  // namespace sluice::io
