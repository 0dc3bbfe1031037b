#include "io/mapping.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <boost/interprocess/file_mapping.hpp>
#include <optional>

#include "base/checked.h"
#include "io/cached_pages.h"
#include "io/source.h"
#include "sluice/error.h"

namespace sluice::io {
namespace {

namespace ipc = boost::interprocess;

ipc::mapped_region map_whole(const File& file) {
  const std::size_t size = file.size();
  if (size == 0) return {};
  try {
    const ipc::file_mapping mapping(file.path().c_str(), ipc::read_only);
    struct stat opened {};
    if (::fstat(mapping.get_mapping_handle().handle, &opened) != 0 ||
        FileIdentity{opened.st_dev, opened.st_ino} != file.identity()) {
      throw Error(ErrorCode::input_changed, "was replaced while it was opened",
                  {.file = file.path(), .cure = "Run the same command again"});
    }
    return {mapping, ipc::read_only, 0, size};
  } catch (const ipc::interprocess_exception& failed) {
    throw CannotMap(failed.what(), failed.get_native_error());
  }
}

}  // namespace

Mapping::Mapping(const File& file) : region_(map_whole(file)), guard_(bytes()) {}

void Mapping::populate(std::uint64_t offset, std::size_t size) const {
  constexpr std::size_t kPage = CachedPages::kPage;
  const std::byte* begin = bytes().data() + offset;
  const std::uintptr_t first = align_down(reinterpret_cast<std::uintptr_t>(begin), kPage);
  const std::size_t length = reinterpret_cast<std::uintptr_t>(begin) + size - first;
  if (::madvise(reinterpret_cast<void*>(first), length, MADV_POPULATE_READ) == 0) return;
  // Kernels before 5.14 cannot do it, newer ones refuse where a page is missing: touching finds out
  // which.
  for (std::size_t i = 0; i < size && !guard_.first_fault(); i += kPage) {
    static_cast<void>(*const_cast<const volatile std::byte*>(begin + i));
  }
}

std::exception_ptr Mapping::fault_before(std::uint64_t end, const File& file) const {
  const std::optional<std::size_t> page = guard_.first_fault();
  const std::uint64_t size = file.size();
  if (size < end || (page && size <= *page)) return shrunk_error(file, size);
  if (!page) return nullptr;
  return std::make_exception_ptr(
      Error(ErrorCode::input_read, "cannot be read: the disk failed or the file was changed",
            {.file = file.path(),
             .offset = *page,
             .cure = "Check the disk; if the file was replaced meanwhile, start anew"}));
}

}  // namespace sluice::io
