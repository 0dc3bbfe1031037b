#include "io/mapped_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <vector>

#include "base/checked.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

namespace ipc = boost::interprocess;

ipc::mapped_region map_whole(const File& file) {
  if (file.size() == 0) return {};
  return {ipc::file_mapping(file.path().c_str(), ipc::read_only), ipc::read_only};
}

// Brings pages in on this thread, so that compute workers do not wait for the disk. Where the
// kernel can (5.14), a page that is gone with the file's end is an answer instead of SIGBUS.
int populate(const std::byte* begin, std::size_t size) {
  constexpr std::uintptr_t kPage = 4096;
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  const std::uintptr_t first = align_down(address, kPage);
  if (::madvise(reinterpret_cast<void*>(first), address + size - first, MADV_POPULATE_READ) == 0) {
    return 0;
  }
  if (errno != EINVAL) return errno;
  for (std::size_t i = 0; i < size; i += kPage) {
    static_cast<void>(*const_cast<const volatile std::byte*>(begin + i));
  }
  return 0;
}

class MappedSource final : public Source {
 public:
  MappedSource(std::span<const File> parts, std::vector<ipc::mapped_region> regions)
      : parts_(parts), regions_(std::move(regions)) {}

  std::string_view name() const override { return "mmap"; }

  void read(const ReadRange& range, std::span<std::byte>, ReadDone done) override {
    const File& file = parts_[range.part];
    const std::span<const std::byte> bytes(at(range), range.size);
    std::exception_ptr error;
    try {
      if (range.offset + range.size > file.size()) {
        error = shrunk_error(file, file.size());
      } else if (const int reason = populate(bytes.data(), bytes.size()); reason != 0) {
        error = std::make_exception_ptr(
            Error(ErrorCode::input_read, "cannot be read: " + system_message(reason),
                  {.file = file.path(), .offset = range.offset, .cure = "Check the disk"}));
      }
    } catch (...) {
      error = std::current_exception();
    }
    done(bytes, error);
  }

  // A page shared with the neighbouring range is freed as well; if that range is still in use, the
  // page faults in again, which costs one read of 4 KiB.
  void release(const ReadRange& range) override {
    constexpr std::uintptr_t kPage = 4096;
    const auto begin = reinterpret_cast<std::uintptr_t>(at(range));
    const std::uintptr_t first = align_down(begin, kPage);
    const std::size_t length = begin + range.size - first;
    // The mapping's reference must go first: fadvise leaves mapped pages alone. mapped_region's own
    // advise is posix_madvise, which ignores DONTNEED on Linux.
    ::madvise(reinterpret_cast<void*>(first), length, MADV_DONTNEED);
    ::posix_fadvise(parts_[range.part].descriptor(), static_cast<off_t>(range.offset),
                    static_cast<off_t>(range.size), POSIX_FADV_DONTNEED);
  }

 private:
  const std::byte* at(const ReadRange& range) const {
    return static_cast<const std::byte*>(regions_[range.part].get_address()) + range.offset;
  }

  std::span<const File> parts_;
  std::vector<ipc::mapped_region> regions_;
};

}  // namespace

struct MappedFile::State {
  ipc::mapped_region region;
};

MappedFile::MappedFile(const File& file) {
  try {
    state_ = std::make_unique<State>(State{map_whole(file)});
  } catch (const ipc::interprocess_exception& error) {
    throw Error(ErrorCode::input_open, std::string("cannot be mapped: ") + error.what(),
                {.file = file.path(), .cure = "Put the file on a local disk"});
  }
}

MappedFile::~MappedFile() = default;
MappedFile::MappedFile(MappedFile&&) noexcept = default;
MappedFile& MappedFile::operator=(MappedFile&&) noexcept = default;

std::span<const std::byte> MappedFile::bytes() const {
  return {static_cast<const std::byte*>(state_->region.get_address()), state_->region.get_size()};
}

std::unique_ptr<Source> open_mapped_source(std::span<const File> parts, std::string& reason) {
  std::vector<ipc::mapped_region> regions;
  try {
    for (const File& part : parts) regions.push_back(map_whole(part));
  } catch (const ipc::interprocess_exception& error) {
    reason = std::string("the input cannot be mapped (") + error.what() + ")";
    return nullptr;
  }
  return std::make_unique<MappedSource>(parts, std::move(regions));
}

}  // namespace sluice::io
